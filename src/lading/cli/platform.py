"""The value of `--platform`: os[/architecture[/variant]] in its usual spelling."""

from __future__ import annotations

import os

from lading.cli.errors import CommandFailed

_SYSTEMS = (
    "linux",
    "windows",
    "darwin",
    "freebsd",
    "netbsd",
    "openbsd",
    "solaris",
    "plan9",
    "aix",
    "android",
)
_ARCHITECTURES = {
    "i386": "386",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
    **{name: name for name in ("386", "amd64", "arm", "arm64", "ppc64le", "s390x", "riscv64", "mips64le")},
    **{name: name for name in ("loong64", "mips", "mips64", "mipsle", "ppc64", "wasm")},
}
_IMPLIED_VARIANTS = {"amd64": ("v1",), "arm64": ("8", "v8")}


def normal_platform(text: str) -> str:
    """ "Linux/X86_64" as "linux/amd64"; "" stays "". Raises CommandFailed."""
    if not text:
        return ""
    parts = text.lower().split("/")
    if len(parts) > 3 or not all(part and part.replace("_", "").replace("-", "").isalnum() for part in parts):
        raise CommandFailed(
            f'error parsing specified platform: "{text}": cannot parse platform specifier: invalid argument'
        )
    if len(parts) == 1:
        if parts[0] in _SYSTEMS:
            return f"{parts[0]}/{_architecture(os.uname().machine)}"
        if parts[0] not in _ARCHITECTURES:
            raise CommandFailed(
                f'error parsing specified platform: "{text}": unknown operating system or architecture: '
                "invalid argument"
            )
        parts.insert(0, "linux")
    parts[0] = {"macos": "darwin"}.get(parts[0], parts[0])
    variant = parts[2] if len(parts) > 2 else {"armhf": "v7", "armel": "v6"}.get(parts[1], "")
    architecture = _architecture(parts[1])
    if variant in _IMPLIED_VARIANTS.get(architecture, ()):
        variant = ""
    if architecture == "arm":
        variant = variant or "v7"
        variant = f"v{variant}" if variant.isdecimal() else variant
    return "/".join((parts[0], architecture, variant) if variant else (parts[0], architecture))


def _architecture(name: str) -> str:
    return _ARCHITECTURES.get(name, name)
