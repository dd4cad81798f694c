"""What an image consists of, as the tree of images shows it (pure)."""

from __future__ import annotations

from lading.cli.ages import cut, rough_size, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_LONGEST_STEP = 28


class Branch:
    """An image, one of its platforms or one of its layers.

    `cells` are its ID, the room it takes and the size of what was downloaded for it;
    `names` stand above its `label`.
    """

    __slots__ = ("available", "cells", "children", "label", "named", "names", "used")

    def __init__(
        self,
        label: str,
        identifier: str,
        total: int | None,
        content: int | None,
        *,
        used: bool = False,
        available: bool = True,
        children: Sequence[Branch] = (),
    ) -> None:
        self.label = label
        self.cells = (short(identifier), _size_text(total), _size_text(content))
        self.used = used
        self.available = available
        self.children = children
        self.names: Sequence[str] = ()
        self.named = True


def branch_of(image: dict[str, Any], details: dict[str, Any] | None = None) -> Branch:
    """An image of the list (Engine API 1.51, "ImageSummary").

    `details` are its description and its history ("ImageInspect", "HistoryResponseItem"),
    where the engine does not list manifests.
    """
    used = image.get("Containers", 0) > 0
    content: int | None = None
    if details is not None:
        children = [_described(image, details, used)]
    else:
        children = [_platform(entry) for entry in _manifests(image) if entry.get("Kind") == "image"]
        content = sum(_size(entry, "Content") for entry in _manifests(image))
        used = used or any(child.used for child in children)
    # The last name shares its line with the figures, so that the shortest goes there.
    *names, last = sorted(image.get("RepoTags") or ("<untagged>",), key=lambda name: -len(name))
    branch = Branch(last, image["Id"], image["Size"], content, used=used, children=children)
    branch.names = names
    branch.named = bool(image.get("RepoTags"))
    return branch


def is_dangling(image: dict[str, Any]) -> bool:
    """Whether it has neither a name nor a digest it was pulled by."""
    tags, digests = image.get("RepoTags") or (), image.get("RepoDigests") or ()
    return all(name == "<none>:<none>" for name in tags) and all(name == "<none>@<none>" for name in digests)


def _manifests(image: dict[str, Any]) -> Sequence[dict[str, Any]]:
    return image.get("Manifests") or ()


def _platform(manifest: dict[str, Any]) -> Branch:
    data = manifest.get("ImageData") or {}
    platform = data.get("Platform") or {}
    return Branch(
        _platform_name(platform.get("os"), platform.get("architecture"), platform.get("variant")),
        manifest["ID"],
        _size(manifest, "Total"),
        _size(manifest, "Content"),
        used=bool(data.get("Containers")),
        available=bool(manifest.get("Available")),
    )


def _described(image: dict[str, Any], details: dict[str, Any], used: bool) -> Branch:
    """The one platform of an image, with its layers, lowest first."""
    layers: list[str] = (details.get("RootFS") or {}).get("Layers") or []
    steps = [step for step in reversed(details.get("History") or ()) if step.get("Size", 0) > 0]
    if len(steps) != len(layers):
        # Which step made which layer cannot be told.
        steps = [{}] * len(layers)
    name = _platform_name(details.get("Os"), details.get("Architecture"), details.get("Variant"))
    children = [
        Branch(_step_name(step), layer, step.get("Size"), None)
        for step, layer in zip(steps, layers, strict=True)
    ]
    return Branch(name, image["Id"], image["Size"], None, used=used, children=children)


def _step_name(step: dict[str, Any]) -> str:
    return cut(" ".join(step.get("CreatedBy", "").split()), _LONGEST_STEP) or "layer"


def _platform_name(system: str | None, architecture: str | None, variant: str | None) -> str:
    return "/".join(part for part in (system or "unknown", architecture, variant) if part)


def _size(manifest: dict[str, Any], name: str) -> int:
    size: int = (manifest.get("Size") or {}).get(name, 0)
    return size


def _size_text(size: int | None) -> str:
    return "" if size is None else rough_size(size)
