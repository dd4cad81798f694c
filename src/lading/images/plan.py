"""What images an archive holds: from `manifest.json`, an OCI layout or the oldest Docker format.

Source: moby's image tarball format (image/spec v1.2 and v1), image-spec
image-layout.md, containerd's `io.containerd.image.name` annotation. Pure.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lading.errors import InvalidParameter
from lading.oci import image as oci

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"

_MAX_DEPTH = 4


@dataclass(slots=True)
class PlannedImage:
    """One image: its configuration, where its layers are in the archive, and what it is called."""

    config: bytes
    layers: list[str]
    names: list[str] = field(default_factory=list)
    manifest: bytes = b""
    config_type: str = oci.CONFIG
    parent: str = ""


@dataclass(slots=True)
class LegacyImage:
    """One image of the oldest format: its JSON files from the lowest up, whose layers lie beside them."""

    chain: list[bytes]
    layers: list[str]
    names: list[str]


class _SavedImage(msgspec.Struct, rename="pascal"):
    config: str
    repo_tags: list[str] | None = None
    layers: list[str] | None = None
    parent: str = ""


def plan(documents: Mapping[str, bytes], architecture: str) -> list[PlannedImage] | list[LegacyImage]:
    """The images of an archive. Raises InvalidParameter where it holds none or contradicts itself."""
    if "manifest.json" in documents:
        return _saved(documents)
    if "index.json" in documents:
        return _layout(documents, architecture)
    if "repositories" in documents:
        return _legacy(documents)
    raise InvalidParameter(
        "the archive holds no image: it has no manifest.json, index.json or repositories file"
    )


def _document(documents: Mapping[str, bytes], path: str) -> bytes:
    try:
        return documents[path]
    except KeyError:
        raise InvalidParameter(f"the archive is incomplete: {path!r} is missing") from None


def _saved(documents: Mapping[str, bytes]) -> list[PlannedImage]:
    try:
        listed = msgspec.json.decode(documents["manifest.json"], type=list[_SavedImage])
    except msgspec.MsgspecError as error:
        raise InvalidParameter(f"invalid manifest.json: {error}") from None
    manifests = _manifests_by_config(documents)
    images = []
    for saved in listed:
        config = _document(documents, saved.config)
        manifest = manifests.get(oci.digest_of(config), b"")
        images.append(PlannedImage(config, saved.layers or [], saved.repo_tags or [], manifest))
        images[-1].parent = saved.parent
    return images


def _manifests_by_config(documents: Mapping[str, bytes]) -> dict[str, bytes]:
    """OCI manifests that lie beside a `manifest.json`, so that pushing gives back their digest."""
    found = {}
    for path, body in documents.items():
        if path.startswith("blobs/sha256/") and b'"config"' in body and b'"layers"' in body:
            try:
                manifest = oci.decode(oci.Manifest, body, path)
            except InvalidParameter:
                continue
            if oci.digest_of(body) == f"sha256:{path[13:]}":
                found[manifest.config.digest] = body
    return found


def _blob_path(digest: str) -> str:
    if not oci.is_digest(digest):
        raise InvalidParameter(f"unsupported digest {digest!r}")
    return f"blobs/{digest.replace(':', '/')}"


def _blob(documents: Mapping[str, bytes], descriptor: oci.Descriptor) -> bytes:
    body = _document(documents, _blob_path(descriptor.digest))
    if oci.digest_of(body) != descriptor.digest:
        raise InvalidParameter(f"digest mismatch: expected {descriptor.digest}, got {oci.digest_of(body)}")
    return body


def _layout(documents: Mapping[str, bytes], architecture: str) -> list[PlannedImage]:
    index = oci.decode(oci.Index, documents["index.json"], "index.json")
    by_manifest: dict[str, PlannedImage] = {}
    for descriptors in _grouped(index.manifests):
        chosen = _choose(descriptors, architecture)
        if chosen is None:
            continue
        manifest_at = _resolve(documents, chosen, architecture)
        if manifest_at is None:
            continue
        planned = by_manifest.get(manifest_at.digest)
        if planned is None:
            planned = by_manifest[manifest_at.digest] = _from_manifest(documents, manifest_at)
        name = _name(chosen.annotations or {})
        if name and name not in planned.names:
            planned.names.append(name)
    return list(by_manifest.values())


def _grouped(descriptors: Iterable[oci.Descriptor]) -> list[list[oci.Descriptor]]:
    """Manifests of one name are one image for several platforms; nameless ones stand alone."""
    groups: dict[str, list[oci.Descriptor]] = {}
    for descriptor in descriptors:
        groups.setdefault(_name(descriptor.annotations or {}) or descriptor.digest, []).append(descriptor)
    return list(groups.values())


def _choose(descriptors: Iterable[oci.Descriptor], architecture: str) -> oci.Descriptor | None:
    """The one for this machine, or the first that is an image at all."""
    candidates = [
        descriptor
        for descriptor in descriptors
        # Attestations are listed as manifests for no platform.
        if descriptor.platform is None or descriptor.platform.os not in ("unknown", "windows")
    ]
    for descriptor in candidates:
        if descriptor.platform is not None and descriptor.platform.architecture == architecture:
            return descriptor
    return candidates[0] if candidates else None


def _resolve(
    documents: Mapping[str, bytes], descriptor: oci.Descriptor, architecture: str
) -> oci.Descriptor | None:
    """Goes down through nested indexes to a manifest."""
    for _ in range(_MAX_DEPTH):
        if descriptor.media_type not in oci.INDEX_TYPES:
            return descriptor
        index = oci.decode(oci.Index, _blob(documents, descriptor), "image index")
        # A layout may leave out the platforms nobody asked for.
        present = [inner for inner in index.manifests if _blob_path(inner.digest) in documents]
        chosen = _choose(present, architecture)
        if chosen is None:
            return None
        descriptor = chosen
    raise InvalidParameter("image indexes are nested too deeply")


def _from_manifest(documents: Mapping[str, bytes], descriptor: oci.Descriptor) -> PlannedImage:
    body = _blob(documents, descriptor)
    manifest = oci.decode(oci.Manifest, body, "image manifest")
    return PlannedImage(
        _blob(documents, manifest.config),
        [_blob_path(layer.digest) for layer in manifest.layers],
        manifest=body,
        config_type=manifest.config.media_type or oci.CONFIG,
    )


def _name(annotations: Mapping[str, str]) -> str:
    full = annotations.get(CONTAINERD_NAME, "")
    if full:
        return full
    # By the specification only the tag; many tools put the whole name there.
    name = annotations.get(REF_NAME, "")
    return name if ":" in name or "/" in name else ""


def _legacy(documents: Mapping[str, bytes]) -> list[LegacyImage]:
    repositories = _json(documents["repositories"], "repositories")
    names: dict[str, list[str]] = {}
    for repository, tags in repositories.items():
        if not isinstance(tags, dict):
            raise InvalidParameter("invalid repositories file")
        for tag, image_id in tags.items():
            names.setdefault(str(image_id), []).append(f"{repository}:{tag}")
    return [_legacy_image(documents, image_id, called) for image_id, called in names.items()]


def _legacy_image(documents: Mapping[str, bytes], image_id: str, names: list[str]) -> LegacyImage:
    chain: list[bytes] = []
    layers: list[str] = []
    seen = set()
    while image_id:
        if image_id in seen:
            raise InvalidParameter(f"image {image_id} is its own parent")
        seen.add(image_id)
        body = _document(documents, f"{image_id}/json")
        chain.insert(0, body)
        layers.insert(0, f"{image_id}/layer.tar")
        parent = _json(body, f"{image_id}/json").get("parent")
        image_id = parent if isinstance(parent, str) else ""
    return LegacyImage(chain, layers, names)


def _json(body: bytes, what: str) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except ValueError as error:
        raise InvalidParameter(f"invalid {what}: {error}") from None
    if not isinstance(decoded, dict):
        raise InvalidParameter(f"invalid {what}")
    return decoded


_V1_ONLY = ("id", "parent", "Size", "parent_id", "layer_id", "throwaway")


def legacy_config(chain: list[bytes], diff_ids: list[str]) -> bytes:
    """The configuration that the oldest format leaves to be made from its JSON files."""
    documents = [_json(body, "image json") for body in chain]
    config = {key: value for key, value in documents[-1].items() if key not in _V1_ONLY}
    config["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    config["history"] = [_v1_history(document) for document in documents]
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _v1_history(document: dict[str, Any]) -> dict[str, Any]:
    command = (document.get("container_config") or {}).get("Cmd") or []
    entry = {
        "created": document.get("created"),
        "author": document.get("author"),
        "created_by": " ".join(map(str, command)) if isinstance(command, list) else str(command),
        "comment": document.get("comment"),
    }
    return {key: value for key, value in entry.items() if value}
