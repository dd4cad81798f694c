"""What images an archive holds: from `manifest.json` or the oldest Docker format (`layout.py` for OCI's).

Source: moby's image tarball format (image/spec v1.2 and v1) and its loader
(tarexport: platforms, parents, messages). Pure.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lading.errors import InvalidParameter
from lading.images.documents import Documents
from lading.images.layout import PlannedImage, check_system, document, has_indexes, layout, none_for
from lading.oci import image as oci
from lading.oci import platforms


class LegacyImage(msgspec.Struct):
    """One image of the oldest format: its JSON files from the lowest up, whose layers lie beside them."""

    chain: list[bytes]
    layers: list[str]
    names: list[str]


class _SavedImage(msgspec.Struct, rename="pascal"):
    config: str
    repo_tags: list[str] | None = None
    layers: list[str] | None = None
    parent: str = ""


def plan(
    documents: Mapping[str, bytes], host: oci.Platform, wanted: Sequence[oci.Platform] = ()
) -> list[PlannedImage] | list[LegacyImage]:
    """The images of an archive: those for the platforms `wanted`, or what suits this host best.

    Raises InvalidParameter where it holds none or contradicts itself, NotFound
    where it holds none for a platform that is wanted, TooLarge.
    """
    documents = Documents(documents)
    # An archive for several platforms may list only one of them the old way.
    if "index.json" in documents and (
        "manifest.json" not in documents or wanted or has_indexes(documents["index.json"])
    ):
        return layout(documents, host, wanted)
    if "manifest.json" in documents:
        return _saved(documents, wanted)
    if "repositories" in documents:
        return _legacy(documents, wanted)
    raise InvalidParameter(
        "the archive holds no image: it has no manifest.json, index.json or repositories file"
    )


def _saved(documents: Mapping[str, bytes], wanted: Sequence[oci.Platform]) -> list[PlannedImage]:
    try:
        listed = msgspec.json.decode(documents["manifest.json"], type=list[_SavedImage] | None)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidParameter(f"invalid manifest.json: {error}") from None
    if listed is None:
        raise InvalidParameter("invalid manifest, manifest cannot be null (but can be [])")
    manifests = _manifests_by_config(documents)
    images = []
    for saved in listed:
        config = document(documents, saved.config)
        described = oci.decode(oci.Image, config, "image configuration")
        check_system(described)
        if wanted and not any(platforms.matches(each, described.platform) for each in wanted):
            continue
        manifest = manifests.get(oci.digest_of(config), b"")
        images.append(PlannedImage(config, saved.layers or [], saved.repo_tags or [], manifest))
        images[-1].parent = saved.parent
    if listed and not images:
        raise none_for(wanted)
    _settle_parents(images)
    return images


def _settle_parents(images: Sequence[PlannedImage]) -> None:
    """A parent counts where it comes in the same archive, and then it must be one."""
    by_id = {oci.digest_of(image.config): image for image in images}
    histories: dict[str, list[oci.History]] = {}

    def history_of(image_id: str) -> list[oci.History]:
        if image_id not in histories:
            described = oci.decode(oci.Image, by_id[image_id].config, "image configuration")
            histories[image_id] = described.history or []
        return histories[image_id]

    for image_id, image in by_id.items():
        parent = by_id.get(image.parent)
        if parent is None or parent is image:
            image.parent = ""
            continue
        history, below = history_of(image_id), history_of(image.parent)
        if (history or below) and history[:-1] != below:
            raise InvalidParameter(f"image {image.parent} is not a valid parent for {image_id}")


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


def _legacy(documents: Mapping[str, bytes], wanted: Sequence[oci.Platform]) -> list[LegacyImage]:
    repositories = _json(documents["repositories"], "repositories")
    names: dict[str, list[str]] = {}
    for repository, tags in repositories.items():
        if not isinstance(tags, dict):
            raise InvalidParameter("invalid repositories file")
        for tag, image_id in tags.items():
            names.setdefault(str(image_id), []).append(f"{repository}:{tag}")
    images = [_legacy_image(documents, image_id, called) for image_id, called in names.items()]
    fitting = [image for image in images if _fits(image, wanted)]
    if images and not fitting:
        raise none_for(wanted)
    return fitting


def _fits(image: LegacyImage, wanted: Sequence[oci.Platform]) -> bool:
    described = oci.decode(oci.Image, image.chain[-1], "image json")
    check_system(described)
    return not wanted or any(platforms.matches(each, described.platform) for each in wanted)


def _legacy_image(documents: Mapping[str, bytes], image_id: str, names: list[str]) -> LegacyImage:
    chain: list[bytes] = []
    layers: list[str] = []
    seen = set()
    if not image_id:
        raise InvalidParameter(f"invalid repositories file: {names[0]} names no image")
    while image_id:
        if image_id in seen:
            raise InvalidParameter(f"image {image_id} is its own parent")
        seen.add(image_id)
        body = document(documents, f"{image_id}/json")
        chain.insert(0, body)
        layers.insert(0, f"{image_id}/layer.tar")
        parent = _json(body, f"{image_id}/json").get("parent")
        image_id = parent if isinstance(parent, str) else ""
    return LegacyImage(chain, layers, names)


def _json(body: bytes, what: str) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError) as error:
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
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        errors="replace"
    )


def _v1_history(document: dict[str, Any]) -> dict[str, Any]:
    made_in = document.get("container_config")
    command = (made_in.get("Cmd") if isinstance(made_in, dict) else None) or []
    entry = {
        "created": document.get("created"),
        "author": document.get("author"),
        "created_by": " ".join(map(str, command)) if isinstance(command, list) else str(command),
        "comment": document.get("comment"),
    }
    return {key: value for key, value in entry.items() if value}
