"""Platforms: reading, naming and comparing them as docker and containerd do.

Source: image-spec image-index.md (`platform`), containerd's platforms
package (normalization, and which machine also runs what), moby's
`DecodePlatform` (API 1.48 and newer). Pure.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from lading.errors import InvalidParameter
from lading.oci.image import Platform

_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv6l": ("arm", "v6"),
}
# The variant that leaving it out means.
_USUAL_VARIANT = {"arm": "v7"}
_PLAIN_VARIANT = {"amd64": "v1", "arm64": "v8"}
_ARM_VARIANTS = ("v8", "v7", "v6", "v5")


def normalized(platform: Platform) -> Platform:
    """The platform in the words that image indexes use."""
    system = platform.os.lower() or "linux"
    architecture = platform.architecture.lower()
    architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
    variant = platform.variant.lower() or implied
    if variant.isdigit():
        variant = f"v{variant}"
    variant = variant or _USUAL_VARIANT.get(architecture, "")
    if variant == _PLAIN_VARIANT.get(architecture):
        variant = ""
    return Platform(architecture, "darwin" if system == "macos" else system, variant, platform.os_version)


def shown(platform: Platform) -> str:
    """os/architecture[/variant], as messages say it."""
    return "/".join(part for part in (platform.os, platform.architecture, platform.variant) if part)


def matches(wanted: Platform, found: Platform) -> bool:
    """Whether `found` is the very platform that is wanted."""
    wanted, found = normalized(wanted), normalized(found)
    same = (wanted.os, wanted.architecture, wanted.variant) == (found.os, found.architecture, found.variant)
    return same and wanted.os_version in ("", found.os_version)


def best(host: Platform, found: Sequence[Platform | None]) -> int | None:
    """Which of several runs best on `host`: its place in the list, or None where none does.

    Images that say nothing of their platform are taken where nothing fits.
    """
    for candidate in _runnable(normalized(host)):
        for position, platform in enumerate(found):
            if platform is not None and matches(candidate, platform):
                return position
    return next((place for place, platform in enumerate(found) if platform is None), None)


def _runnable(host: Platform) -> list[Platform]:
    """What a machine can run, best first."""
    own = host.architecture, host.variant
    names = [own]
    if host.architecture == "amd64":
        level = int(host.variant[1:]) if host.variant[1:].isdigit() else 1
        names += [("amd64", f"v{lower}") for lower in range(level - 1, 0, -1)] + [("386", "")]
    elif host.architecture == "arm64":
        names += [("arm64", ""), *(("arm", variant) for variant in _ARM_VARIANTS)]
    elif host.architecture == "arm" and host.variant in _ARM_VARIANTS:
        at = _ARM_VARIANTS.index(host.variant)
        names += [("arm", variant) for variant in _ARM_VARIANTS[at + 1 :]]
    return [Platform(architecture, host.os, variant) for architecture, variant in names]


def decode(text: str) -> Platform:
    """A platform as the API's `platform` parameter gives it: a JSON object. Raises InvalidParameter."""
    try:
        value: Any = json.loads(text)
        platform = msgspec.convert(value, Platform) if value is not None else Platform()
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"failed to parse platform: {error}") from None
    if not platform.os and not platform.architecture and (platform.variant or platform.os_version):
        raise InvalidParameter("optional platform fields provided, but OS and Architecture are missing")
    if not platform.os or not platform.architecture:
        raise InvalidParameter("both OS and Architecture must be provided")
    return platform


def decode_all(texts: Iterable[str]) -> list[Platform]:
    """Several, without repetitions. Raises InvalidParameter."""
    found: list[Platform] = []
    for text in texts:
        platform = decode(text)
        if platform not in found:
            found.append(platform)
    return found
