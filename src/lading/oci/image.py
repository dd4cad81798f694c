"""Image documents: descriptor, manifest, index and the image configuration.

Source: image-spec 1.1 (descriptor.md, manifest.md, image-index.md, config.md)
and Docker's additions to the configuration (Healthcheck, OnBuild, Shell,
ArgsEscaped). Unknown members are ignored when reading. A document whose
digest matters is kept as the bytes it came in, never written again from here.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from lading.errors import InvalidParameter

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = LAYER + "+gzip"
LAYER_ZSTD = LAYER + "+zstd"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEX_TYPES = frozenset({INDEX, DOCKER_INDEX})
DOCUMENT_TYPES = INDEX_TYPES | {MANIFEST, DOCKER_MANIFEST}

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


class Platform(Struct, omit_defaults=True):
    """What an image runs on."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = field(default="", name="os.version")


class Descriptor(Struct, rename="camel", omit_defaults=True):
    """Points at a blob: what it is, its digest and its size in bytes."""

    media_type: str = ""
    digest: str = ""
    size: int = 0
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    platform: Platform | None = None


class Manifest(Struct, rename="camel"):
    """One image for one platform: its configuration and its layers, lowest first."""

    config: Descriptor
    layers: list[Descriptor] = []
    media_type: str = ""


class Index(Struct, rename="camel"):
    """A list of manifests, usually one for each platform."""

    manifests: list[Descriptor] = []
    media_type: str = ""


class Healthcheck(Struct, rename="pascal", omit_defaults=True):
    """How to tell that a container works. Durations are nanoseconds; 0 inherits."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class ImageConfig(Struct, rename="pascal", omit_defaults=True):
    """How a container of the image runs unless told otherwise."""

    user: str = ""
    exposed_ports: dict[str, Any] | None = None
    env: list[str] | None = None
    entrypoint: list[str] | str | None = None
    cmd: list[str] | str | None = None
    volumes: dict[str, Any] | None = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    healthcheck: Healthcheck | None = None
    args_escaped: bool = False
    on_build: list[str] | None = None
    shell: list[str] | None = None

    def __post_init__(self) -> None:
        # Old builders wrote a lone word where a list belongs.
        if isinstance(self.entrypoint, str):
            self.entrypoint = [self.entrypoint]
        if isinstance(self.cmd, str):
            self.cmd = [self.cmd]


class RootFS(Struct):
    """The layers by the digests of their uncompressed archives, lowest first."""

    type: str = "layers"
    diff_ids: list[str] | None = None


class History(Struct, omit_defaults=True):
    """How one layer, or one change of the configuration alone, came about."""

    created: str | None = None
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class Image(Struct, omit_defaults=True):
    """The image configuration document; the image's ID is the digest of its bytes."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = field(default="", name="os.version")
    created: str | None = None
    author: str = ""
    comment: str = ""
    docker_version: str = ""
    config: ImageConfig | None = None
    rootfs: RootFS | None = None
    history: list[History] | None = None

    @property
    def platform(self) -> Platform:
        """What the image runs on."""
        return Platform(self.architecture, self.os, self.variant, self.os_version)

    @property
    def diff_ids(self) -> list[str]:
        """The layers' digests, lowest first."""
        return (self.rootfs.diff_ids or []) if self.rootfs else []


Document = TypeVar("Document", Image, Manifest, Index)


def decode(kind: type[Document], data: bytes, what: str) -> Document:
    """Reads a document. Raises InvalidParameter, naming it as `what`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        pass
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidParameter(f"invalid {what}: {error}") from None
    try:
        # Go takes null for anything; so some builders write it where nothing was set.
        return msgspec.convert(_without_nulls(msgspec.json.decode(data)), kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidParameter(f"invalid {what}: {error}") from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def encode(document: Image | Manifest | Index) -> bytes:
    """The document as JSON: for documents made here, whose digest is not yet known to anyone."""
    return msgspec.json.encode(document)


def digest_of(data: bytes) -> str:
    """The digest of a blob."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(text: str) -> bool:
    """Whether `text` is a digest this engine can verify."""
    return _DIGEST.match(text) is not None


def chain_ids(diff_ids: Iterable[str]) -> list[str]:
    """The identity of each layer together with all below it, lowest first.

    Source: image-spec, config.md, "Layer ChainID".
    """
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(digest_of(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return chain
