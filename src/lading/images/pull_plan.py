"""What a pull fetches: which manifest of an index, which blobs, and what is refused. Pure.

Source: moby's `distribution` package for the rules and the words, containerd's
`platforms.Parse` for the platform people write, image-spec 1.1.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lading.distribution import Fetched
from lading.errors import InvalidParameter, LadingError, NotFound
from lading.images.reference import Reference, parse, parse_repository
from lading.oci import image as oci
from lading.oci import platforms
from lading.oci.image import Platform

MAX_DEPTH = 4
"""Indexes within indexes."""
MAX_CONFIG = 16 << 20
"""Bytes of an image configuration."""

_SCHEMA1 = (
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
_IMAGE_CONFIGS = (
    *(oci.CONFIG, oci.DOCKER_CONFIG),
    # What registries of old said of configurations.
    *("application/octet-stream", "application/json", "text/html", ""),
)
_PLUGIN_CONFIG = "application/vnd.docker.plugin.v1+json"
_SUPPORTED = ("application/vnd.oci.image", "application/vnd.docker", *_IMAGE_CONFIGS)
_COMPONENT = r"^[A-Za-z0-9_.-]+$"
_SYSTEMS = frozenset(
    "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris "
    "windows zos macos".split()
)
_ARCHITECTURES = frozenset(
    "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le "
    "mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm "
    "i386 x86_64 x86-64 aarch64 armhf armel".split()
)


@dataclass(slots=True)
class Plan:
    """One image to fetch: its manifest as it came, and the index it was chosen from, if any."""

    manifest: Fetched
    config: oci.Descriptor
    layers: list[oci.Descriptor]
    digest: str
    indexes: list[Fetched] = field(default_factory=list)


class NoMatch(NotFound):
    """An index holds nothing for the platform."""

    def __init__(self, wanted: Platform) -> None:
        super().__init__(
            f"no matching manifest for {platforms.shown(wanted)} in the manifest list entries: "
            "no match for platform in manifest: not found"
        )


def wanted_reference(name: str, tag: str) -> Reference:
    """What `fromImage` and `tag` mean; with neither tag nor digest all tags are meant.

    Raises InvalidParameter.
    """
    # Old clients end the name with a colon where they want all tags.
    name = name.removesuffix(":")
    return parse_repository(name, tag) if tag else parse(name)


def parse_platform(text: str, host: Platform) -> Platform:
    """A platform as people write it: os, architecture, or os/architecture[/variant].

    What is left out is the host's. Raises InvalidParameter.
    """
    if "*" in text:
        raise InvalidParameter(f'"{text}": wildcards not yet supported: invalid argument')
    parts = text.split("/")
    for part in parts:
        if re.match(_COMPONENT, part) is None:
            raise InvalidParameter(
                f'"{part}" is an invalid component of "{text}": platform specifier component must match '
                f'"{_COMPONENT}": invalid argument'
            )
    if len(parts) == 1:
        return _parse_word(parts[0], host)
    if len(parts) > 3:
        raise InvalidParameter(f'"{text}": cannot parse platform specifier: invalid argument')
    variant = parts[2] if len(parts) == 3 else ""
    return platforms.normalized(Platform(parts[1], parts[0], variant))


def _parse_word(word: str, host: Platform) -> Platform:
    if word.lower() in _SYSTEMS:
        return platforms.normalized(Platform(host.architecture, word, host.variant))
    if word.lower() in _ARCHITECTURES:
        return platforms.normalized(Platform(word, host.os))
    raise InvalidParameter(f'"{word}": unknown operating system or architecture: invalid argument')


def is_index(fetched: Fetched) -> bool:
    """Whether it lists manifests. Raises InvalidParameter for what is neither that nor a manifest."""
    return _kind(fetched) in oci.INDEX_TYPES


def _kind(fetched: Fetched) -> str:
    """The media type; where the registry says nothing useful, by what the document holds."""
    said = fetched.media_type.partition(";")[0].strip()
    if said in oci.INDEX_TYPES or said in (oci.MANIFEST, oci.DOCKER_MANIFEST) or said in _SCHEMA1:
        return said
    try:
        document: Any = msgspec.json.decode(fetched.body)
    except msgspec.MsgspecError:
        document = None
    if not isinstance(document, dict):
        raise InvalidParameter("unsupported manifest format")
    inside = str(document.get("mediaType", ""))
    if inside in oci.INDEX_TYPES or inside in (oci.MANIFEST, oci.DOCKER_MANIFEST) or inside in _SCHEMA1:
        return inside
    if "fsLayers" in document:
        return _SCHEMA1[0]
    if "manifests" in document:
        return oci.INDEX
    if "config" in document and "layers" in document:
        return oci.MANIFEST
    raise InvalidParameter("unsupported manifest format")


def choose(index: Fetched, wanted: Platform) -> oci.Descriptor:
    """What of an index runs best on a platform. Raises NoMatch, InvalidParameter."""
    listed = oci.decode(oci.Index, index.body, "image index").manifests
    place = platforms.best(wanted, [descriptor.platform for descriptor in listed])
    if place is None:
        raise NoMatch(wanted)
    chosen = listed[place]
    if not oci.is_digest(chosen.digest):
        raise InvalidParameter(f"unsupported digest {chosen.digest!r} in the manifest list")
    return chosen


def plan(fetched: Fetched, indexes: list[Fetched], name: str) -> Plan:
    """What to fetch for a manifest. Raises LadingError where it is no image."""
    kind = _kind(fetched)
    if kind in _SCHEMA1:
        raise InvalidParameter(
            "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. "
            f"Suggest the author of {name} to upgrade the image to the OCI Format or Docker Image manifest "
            "v2, schema 2. More information at https://docs.docker.com/go/deprecated-image-specs/"
        )
    manifest = oci.decode(oci.Manifest, fetched.body, "image manifest")
    for descriptor in (manifest.config, *manifest.layers):
        _check_type(descriptor.media_type)
        if not oci.is_digest(descriptor.digest):
            raise InvalidParameter(f"could not validate layer digest {descriptor.digest!r}")
        if descriptor.size < 0:
            raise InvalidParameter(f"invalid size {descriptor.size} of blob {descriptor.digest}")
    if manifest.config.size > MAX_CONFIG:
        raise InvalidParameter(f"error pulling image configuration: it is larger than {MAX_CONFIG} bytes")
    digest = indexes[0].digest if indexes else fetched.digest
    return Plan(fetched, manifest.config, list(manifest.layers), digest, indexes)


def check_class(fetched: Fetched) -> None:
    """Raises InvalidParameter for what Docker's own kind of manifest can hold beside images."""
    if _kind(fetched) != oci.DOCKER_MANIFEST:
        return
    media_type = oci.decode(oci.Manifest, fetched.body, "image manifest").config.media_type
    if media_type not in _IMAGE_CONFIGS:
        kind = "plugin" if media_type == _PLUGIN_CONFIG else "unknown"
        raise InvalidParameter(f'encountered remote "{media_type}" ({kind}) when fetching image or plugin')


def _check_type(media_type: str) -> None:
    lower = media_type.lower()
    if lower.startswith("application/vnd.docker.ai."):
        raise InvalidParameter(
            'AI models are not yet supported by the Engine, please use "docker model pull/run" instead'
        )
    if not any(lower == known or (known and lower.startswith(f"{known}.")) for known in _SUPPORTED):
        raise InvalidParameter(f"unsupported media type {media_type}")


def check_config(config: bytes, plan_: Plan) -> oci.Image:
    """The image configuration, which must fit the manifest and this kernel. Raises LadingError."""
    document = oci.decode(oci.Image, config, "image configuration")
    if document.os.lower() not in ("", "linux"):
        raise InvalidParameter("operating system is not supported")
    if document.rootfs is None:
        raise InvalidParameter("invalid rootfs in image configuration")
    if len(document.diff_ids) != len(plan_.layers):
        raise layers_differ()
    return document


def layers_differ() -> LadingError:
    """The manifest and the configuration speak of different layers."""
    return InvalidParameter("layers from manifest don't match image configuration")


def mismatch_warning(document: oci.Image, wanted: Platform, name: str) -> str:
    """What docker says where an image that stands alone is for another platform; nothing where it fits."""
    actual = Platform(document.architecture, document.os or "linux", document.variant)
    if platforms.best(wanted, [actual]) is not None:
        return ""
    return (
        f"WARNING: image with reference {name} was found but its platform ({platforms.shown(actual)}) "
        f"does not match the specified platform ({platforms.shown(wanted)})"
    )
