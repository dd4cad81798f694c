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


def normal_platform(text: str) -> str:
    """ "Linux/X86_64" as "linux/amd64"; "" stays "". Raises CommandFailed."""
    if not text:
        return ""
    parts = text.lower().split("/")
    if len(parts) > 3:
        raise _bad(f'"{text}": cannot parse platform specifier')
    for part in parts:
        if not part or not all(character.isalnum() or character in "_.-" for character in part):
            raise _bad(
                f'"{part}" is an invalid component of "{text}": '
                'platform specifier component must match "^[A-Za-z0-9_.-]+$"'
            )
    if len(parts) == 1:
        if parts[0] in _SYSTEMS:
            return f"{parts[0]}/{_architecture(os.uname().machine)}"
        if parts[0] not in _ARCHITECTURES:
            raise _bad(f'"{text}": unknown operating system or architecture')
        parts.insert(0, "linux")
    system = {"macos": "darwin"}.get(parts[0], parts[0])
    return "/".join((system, _architecture(parts[1]), *parts[2:]))


def _bad(reason: str) -> CommandFailed:
    return CommandFailed(f"error parsing specified platform: {reason}: invalid argument")


def _architecture(name: str) -> str:
    return _ARCHITECTURES.get(name, name)
