"""The value of `--platform`: os[/architecture[/variant]] in its usual spelling."""

from __future__ import annotations

import os

from lading.cli.errors import CommandFailed
from lading.client import dumps

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
_VARIANTS = {"armhf": "v7", "armel": "v6"}
FORM_HELP = 'Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'
"""What help texts of `--platform` end with."""


def normal_platform(text: str) -> str:
    """ "Linux/X86_64" as "linux/amd64"; "" stays "". Raises CommandFailed."""
    if not text:
        return ""
    try:
        return "/".join(_parts(text))
    except CommandFailed as failure:
        raise CommandFailed(f"error parsing specified platform: {failure.message}") from None


def platform_json(text: str) -> str:
    """A platform as the API's parameters take it, in docker's order of keys. Raises CommandFailed."""
    system, architecture, *rest = _parts(text)
    given = text.lower().split("/")
    written = given[1] if len(given) > 1 else given[0]
    variant = _VARIANTS.get(written, "")
    if rest:
        variant = _variant(architecture, rest[0])
    elif (architecture, variant) == ("arm", "v7"):
        variant = ""
    name, _, version = system.partition("(")
    document = {"architecture": architecture, "os": name}
    if version.rstrip(")"):
        document["os.version"] = version.rstrip(")")
    return dumps(document | {"variant": variant} if variant else document).decode()


def platform_query(name: str, text: str, complaint: str = "") -> list[tuple[str, str]]:
    """The query parameter `name`, or none where no platform is given.

    Raises CommandFailed, its message after `complaint`.
    """
    if not text:
        return []
    try:
        return [(name, platform_json(text))]
    except CommandFailed as failure:
        raise CommandFailed(f"{complaint}{failure.message}") from None


def _variant(architecture: str, variant: str) -> str:
    if architecture == "amd64" and variant == "v1":
        return ""
    if architecture in ("arm", "arm64") and variant.isdecimal():
        return f"v{variant}"
    return variant


def _parts(text: str) -> list[str]:
    """System, architecture and, where it is given, variant. Raises CommandFailed."""
    parts = text.lower().split("/")
    if len(parts) > 3:
        raise _bad(f'"{text}": cannot parse platform specifier')
    _check_parts(text)
    if len(parts) == 1:
        if parts[0].partition("(")[0] in _SYSTEMS:
            return [parts[0], _architecture(os.uname().machine)]
        if parts[0] not in _ARCHITECTURES:
            raise _bad(f'"{text}": unknown operating system or architecture')
        parts.insert(0, "linux")
    system = {"macos": "darwin"}.get(parts[0], parts[0])
    return [system, _architecture(parts[1]), *parts[2:]]


def _check_parts(text: str) -> None:
    """Raises CommandFailed for a part with a letter that has no place there."""
    system, *others = text.split("/")
    name, parenthesis, version = system.partition("(")
    if not _consists_of(name, "_-") or (
        parenthesis and not (version[-1:] == ")" and (version == ")" or _consists_of(version[:-1], "_.-")))
    ):
        raise _bad(
            f'"{system}" is an invalid OS component of "{text}": OSAndVersion specifier component '
            r'must match "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$"'
        )
    for part in others:
        if not _consists_of(part, "_.-"):
            raise _bad(
                f'"{part}" is an invalid component of "{text}": '
                'platform specifier component must match "^[A-Za-z0-9_.-]+$"'
            )


def _consists_of(text: str, marks: str) -> bool:
    """Whether there are only ASCII letters, digits and these marks, and at least one."""
    return bool(text) and all(
        character in marks or (character.isascii() and character.isalnum()) for character in text
    )


def _bad(reason: str) -> CommandFailed:
    return CommandFailed(f"{reason}: invalid argument")


def _architecture(name: str) -> str:
    return _ARCHITECTURES.get(name, name)
