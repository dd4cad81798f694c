"""What goes into an archive of images. Pure.

The archive is two things at once: an OCI layout, and what `docker save` has
written since 1.10, whose `manifest.json` points to the same blobs. Layers lie in
it as they are stored, mostly compressed: docker, podman and skopeo undo that
when reading, and so the manifest in the layout is the one that was pulled.

Source: image-spec 1.1, image-layout.md; moby's image/tarexport; containerd's
`io.containerd.image.name`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lading.images.reference import Reference
from lading.oci import image as oci

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


@dataclass(slots=True)
class SavedImage:
    """One image and the names it is saved under. `layers` are lowest first."""

    image_id: str
    document: oci.Image
    config_size: int
    manifest: bytes
    layers: list[oci.Descriptor]
    tags: list[Reference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Archive:
    """Files made for the archive, and blobs to be copied into it: digest and size in bytes."""

    documents: list[tuple[str, bytes]]
    blobs: list[tuple[str, int]]


def plan(images: Sequence[SavedImage]) -> Archive:
    """The whole archive, in its order; what several images share is in it once."""
    documents = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": _index(images),
        "manifest.json": msgspec.json.encode([_entry(image) for image in images]) + b"\n",
    }
    repositories = _repositories(images)
    if repositories:
        documents["repositories"] = msgspec.json.encode(repositories) + b"\n"
    blobs: dict[str, int] = {}
    for image in images:
        documents[blob_path(oci.digest_of(image.manifest))] = image.manifest
        blobs[image.image_id] = image.config_size
        blobs.update((layer.digest, layer.size) for layer in image.layers)
    return Archive(list(documents.items()), list(blobs.items()))


def blob_path(digest: str) -> str:
    """Where a blob lies in the archive."""
    return f"blobs/{digest.replace(':', '/')}"


def made_manifest(image_id: str, config_size: int, layers: Iterable[oci.Descriptor]) -> bytes:
    """The manifest of an image that came without one; the same image always gets the same."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": {"mediaType": oci.CONFIG, "digest": image_id, "size": config_size},
        "layers": [
            {"mediaType": _layer_type(layer.media_type), "digest": layer.digest, "size": layer.size}
            for layer in layers
        ],
    }
    return msgspec.json.encode(manifest)


def _layer_type(media_type: str) -> str:
    if media_type in (oci.LAYER_GZIP, oci.LAYER_ZSTD):
        return media_type
    return oci.LAYER_GZIP if media_type == oci.DOCKER_LAYER else oci.LAYER


def _entry(image: SavedImage) -> dict[str, Any]:
    return {
        "Config": blob_path(image.image_id),
        "RepoTags": [tag.familiar for tag in image.tags] or None,
        "Layers": [blob_path(layer.digest) for layer in image.layers],
    }


def _index(images: Iterable[SavedImage]) -> bytes:
    entries: list[dict[str, Any]] = []
    for image in images:
        entry = _index_entry(image)
        # Without a name it is listed too, so that readers of OCI layouts find it.
        entries += [{**entry, "annotations": _annotations(tag)} for tag in image.tags] or [entry]
    return msgspec.json.encode({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": entries})


def _index_entry(image: SavedImage) -> dict[str, Any]:
    document = image.document
    platform = {"architecture": document.architecture, "os": document.os or "linux"}
    if document.variant:
        platform["variant"] = document.variant
    return {
        "mediaType": oci.decode(oci.Manifest, image.manifest, "image manifest").media_type or oci.MANIFEST,
        "digest": oci.digest_of(image.manifest),
        "size": len(image.manifest),
        "platform": platform,
    }


def _annotations(tag: Reference) -> dict[str, str]:
    return {CONTAINERD_NAME: str(tag), REF_NAME: tag.tag}


def _repositories(images: Iterable[SavedImage]) -> dict[str, dict[str, str]]:
    """For readers from before 1.10: the topmost layer of each name."""
    found: dict[str, dict[str, str]] = {}
    for image in images:
        diff_ids = image.document.diff_ids
        for tag in image.tags:
            found.setdefault(tag.familiar_name, {})[tag.tag] = diff_ids[-1].partition(":")[2]
    return found
