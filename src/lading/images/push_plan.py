"""What a push sends, and which manifest stands for it. Pure.

Source: moby's distribution/push_v2.go; Docker's image manifest, version 2,
schema 2; image-spec 1.1, manifest.md.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lading.images.reference import Reference
from lading.images.save_plan import made_manifest
from lading.oci import image as oci

_GZIP = frozenset({oci.LAYER_GZIP, oci.DOCKER_LAYER})
_TRAVELLING = _GZIP | {oci.LAYER_ZSTD}
_MOUNT_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class PushedLayer:
    """A layer by the digest of its plain archive, and the blob that is stored of it."""

    diff_id: str
    blob: oci.Descriptor

    @property
    def name(self) -> str:
        """As progress lines call it."""
        return self.diff_id.partition(":")[2][:12]

    @property
    def foreign(self) -> bool:
        """Whether it is fetched from elsewhere and no registry is to have it."""
        return bool(self.blob.urls)

    @property
    def travels(self) -> bool:
        """Whether registries and all their clients take the blob as it is stored."""
        return self.blob.media_type in _TRAVELLING


def distinct(layers: Iterable[PushedLayer]) -> list[PushedLayer]:
    """Each layer once, topmost first, as docker lists them."""
    found = {layer.diff_id: layer for layer in layers}
    return list(reversed(found.values()))


def manifest_for(image_id: str, config_size: int, layers: Sequence[oci.Descriptor]) -> bytes:
    """A manifest for an image that has none: Docker's own, unless a layer is in a form it does not know."""
    if not all(layer.media_type in _GZIP for layer in layers):
        return made_manifest(image_id, config_size, layers)
    document = {
        "schemaVersion": 2,
        "mediaType": oci.DOCKER_MANIFEST,
        "config": _described(oci.DOCKER_CONFIG, image_id, config_size),
        "layers": [_described(oci.DOCKER_LAYER, layer.digest, layer.size) for layer in layers],
    }
    # Three spaces, as docker writes it: the digest is one of these bytes.
    return json.dumps(document, indent=3).encode()


def _described(media_type: str, digest: str, size: int) -> dict[str, str | int]:
    return {"mediaType": media_type, "size": size, "digest": digest}


def media_type_of(manifest: bytes) -> str:
    """What a manifest says it is."""
    return oci.decode(oci.Manifest, manifest, "image manifest").media_type or oci.MANIFEST


def mount_sources(target: Reference, digest: str, holders: Mapping[str, Iterable[Reference]]) -> list[str]:
    """Repositories of the same registry that may have a blob, to be asked in this order.

    `holders` has for each blob the names under which a registry knows an image with it.
    """
    paths = {
        reference.path
        for reference in holders.get(digest, ())
        if reference.domain == target.domain and reference.path != target.path
    }
    # Those of the same owner first: there the rights will do.
    owner = target.path.rpartition("/")[0]
    ordered = sorted(paths, key=lambda path: (path.rpartition("/")[0] != owner, path))
    return ordered[:_MOUNT_ATTEMPTS]
