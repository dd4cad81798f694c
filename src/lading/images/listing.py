"""Choosing images for a list: Docker's filters. Pure.

Source: Engine API 1.51, ImageList, and moby's `daemon/images`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lading.filters import Filters
from lading.images.record import Image
from lading.images.reference import Reference, familiar_match

LIST_FILTERS = frozenset({"dangling", "label", "before", "since", "reference", "until"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image with what it is called, and whether other images were made from it here."""

    image: Image
    references: list[Reference]
    has_children: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """The times of creation between which an image must lie, exclusively; nanoseconds."""

    after: int | None = None
    before: int | None = None


def choose(
    candidates: Iterable[Candidate], filters: Filters, bounds: Bounds, everything: bool
) -> list[Candidate]:
    """The candidates that fit, newest first, with only those references that fit.

    Intermediate images, which have children and no name, count only where
    `everything` is asked for. Raises InvalidParameter.
    """
    dangling = filters.flag("dangling")
    chosen = []
    for candidate in candidates:
        image = candidate.image
        if bounds.after is not None and image.created_ns <= bounds.after:
            continue
        if bounds.before is not None and image.created_ns >= bounds.before:
            continue
        if not filters.labels(image.labels):
            continue
        shown = Candidate(image, _matching(candidate.references, filters), candidate.has_children)
        if _is_shown(shown, filters, dangling, everything):
            chosen.append(shown)
    chosen.sort(key=lambda candidate: (-candidate.image.created_ns, candidate.image.id))
    return chosen


def _matching(references: list[Reference], filters: Filters) -> list[Reference]:
    patterns = filters.get("reference")
    if not patterns:
        return references
    return [
        reference
        for reference in references
        if any(familiar_match(pattern, reference) for pattern in patterns)
    ]


def _is_shown(candidate: Candidate, filters: Filters, dangling: bool | None, everything: bool) -> bool:
    if candidate.references:
        tagged = any(reference.tag for reference in candidate.references)
        return not (dangling and tagged)
    if candidate.has_children and (dangling or not everything):
        return False
    return dangling is not False and "reference" not in filters


def shared_sizes(layers_of: dict[str, list[str]], sizes: dict[str, int]) -> dict[str, int]:
    """For each image the bytes of those of its layers that another image has too."""
    owners: dict[str, int] = {}
    for layers in layers_of.values():
        for layer in set(layers):
            owners[layer] = owners.get(layer, 0) + 1
    return {
        image: sum(sizes.get(layer, 0) for layer in set(layers) if owners[layer] > 1)
        for image, layers in layers_of.items()
    }
