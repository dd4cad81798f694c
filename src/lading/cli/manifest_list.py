"""Manifests of images, one by one and in lists, as docker's client shows and keeps them (pure)."""

from __future__ import annotations

import base64
import json

from lading.cli.errors import CommandFailed
from lading.cli.json_text import compact, indent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)

_PLATFORM = ("architecture", "os", "os.version", "os.features", "variant")


class ImageManifest:
    """A manifest with the name it was got by; `raw` is as the registry has it."""

    __slots__ = ("descriptor", "raw", "reference")

    def __init__(self, reference: str, descriptor: dict[str, Any], raw: bytes) -> None:
        self.reference = reference
        self.descriptor = descriptor
        self.raw = raw

    @property
    def platform(self) -> dict[str, Any]:
        """Architecture, system and the like; empty where nothing is known."""
        return self.descriptor.get("platform") or {}

    @property
    def media_type(self) -> str:
        return str(self.descriptor.get("mediaType", ""))

    def as_record(self) -> str:
        """Compact JSON with all that is known of it."""
        descriptor = {name: self.descriptor[name] for name in ("mediaType", "digest", "size")}
        head = {
            "Ref": self.reference,
            "Descriptor": descriptor | {"platform": platform_document(self.platform)},
            "Raw": base64.b64encode(self.raw).decode(),
        }
        member = "OCIManifest" if self.media_type == OCI_MANIFEST else "SchemaV2Manifest"
        start = json.dumps(head, separators=(",", ":"), ensure_ascii=False)
        return compact(f'{start[:-1]},"{member}":{self.text()}}}')

    def text(self) -> str:
        return self.raw.decode("utf-8", "replace")

    def entries(self) -> list[dict[str, Any]]:
        """The descriptors in a list. Raises CommandFailed where it is damaged."""
        return self._descriptors(self._document().get("manifests"))

    def blobs(self) -> list[str]:
        """Digests of the configuration and of all layers that lie in the repository. Raises CommandFailed."""
        document = self._document()
        layers = self._descriptors(document.get("layers"))
        own = [layer for layer in layers if not layer.get("urls")]
        return [blob["digest"] for blob in (*self._descriptors([document.get("config")]), *own)]

    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self.raw)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._damaged()
        return document

    def _descriptors(self, found: Any) -> list[dict[str, Any]]:
        found = [] if found is None else found
        if not isinstance(found, list) or not all(map(is_descriptor, found)):
            raise self._damaged()
        return found

    def _damaged(self) -> CommandFailed:
        return CommandFailed(f"the manifest of {self.reference} is damaged")


def read_record(text: bytes, place: str) -> ImageManifest:
    """What `as_record` wrote, or docker's client. Raises CommandFailed."""
    try:
        record = json.loads(text)
        raw = base64.b64decode(record.get("Raw") or "")
        if isinstance(record["Ref"], str) and is_descriptor(record["Descriptor"]):
            return ImageManifest(record["Ref"], record["Descriptor"], raw)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise CommandFailed(f"invalid manifest file {place}")


def is_descriptor(value: Any) -> bool:
    """Whether it has what every descriptor has, and the rest is of the right kind."""
    kinds = (("mediaType", str), ("digest", str), ("size", int))
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name), kind) for name, kind in kinds)
        and isinstance(value.get("platform") or {}, dict)
    )


def platform_document(platform: dict[str, Any]) -> dict[str, Any]:
    """A platform's members in docker's order; the first two are always there."""
    shown = {name: platform[name] for name in _PLATFORM if platform.get(name)}
    return {"architecture": "", "os": "", **shown}


def list_document(descriptors: Iterable[dict[str, Any]]) -> bytes:
    """A list of manifests, byte for byte as docker's client makes one of these descriptors."""
    entries = [
        {
            **{name: descriptor[name] for name in ("mediaType", "size", "digest")},
            "platform": platform_document(descriptor.get("platform") or {}),
        }
        for descriptor in descriptors
    ]
    is_oci = bool(entries) and entries[0]["mediaType"] == OCI_MANIFEST
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX if is_oci else DOCKER_LIST,
        "manifests": entries,
    }
    return json.dumps(document, indent=3, ensure_ascii=False).encode()


def shown(manifest: ImageManifest, verbose: bool) -> str:
    """One manifest for people."""
    return indent(manifest.as_record() if verbose else manifest.text(), "\t")


def shown_list(manifests: Sequence[ImageManifest]) -> str:
    """All that is known of several manifests, for people."""
    return indent(f"[{','.join(manifest.as_record() for manifest in manifests)}]", "\t")
