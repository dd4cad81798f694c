"""Choosing images for a list, or for a prune: Docker's filters; and what images share. Pure.

Source: Engine API 1.51, ImageList and ImagePrune, and moby's `daemon/images`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lading.errors import InvalidParameter
from lading.filters import Filters
from lading.images.record import Entry
from lading.images.reference import Reference, familiar_match
from lading.units import parse_moment

LIST_FILTERS = frozenset({"dangling", "label", "before", "since", "reference", "until"})
PRUNE_FILTERS = frozenset({"dangling", "label", "label!", "until"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image with what it is called, and whether other images were made from it here."""

    image: Entry
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
        if bounds.before is not None and not 0 < image.created_ns < bounds.before:
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
        return not (dangling and (tagged or candidate.has_children))
    if candidate.has_children and (dangling or not everything):
        return False
    return dangling is not False and "reference" not in filters


def prunable(
    candidates: Iterable[Candidate], used: Collection[str], filters: Filters, now_ns: int
) -> list[Candidate]:
    """What a prune is to try: nameless images, or with `dangling=false` all; but none that is `used`.

    An image with images made from it goes with those, if at all. Raises InvalidParameter.
    """
    dangling = filters.flag("dangling") is not False
    moments = filters.get("until")
    if len(moments) > 1:
        raise InvalidParameter("more than one until filter specified")
    until = parse_moment(moments[0], now_ns) if moments else None
    return [
        candidate
        for candidate in candidates
        if candidate.image.id not in used
        and not (candidate.has_children and (dangling or not candidate.references))
        and not (dangling and any(not reference.digest for reference in candidate.references))
        and (until is None or 0 < candidate.image.created_ns <= until)
        and filters.labels(candidate.image.labels)
        and not ("label!" in filters and filters.labels(candidate.image.labels, "label!"))
    ]


def shared_sizes(
    tops: Mapping[str, str | None], parents: Mapping[str, str | None], sizes: Mapping[str, int]
) -> dict[str, int]:
    """For each image the bytes of those of its layers that another image has too.

    `tops` has each image's topmost layer; `parents` and `sizes` are by chain ID.
    """
    chains = {image: _chain(top, parents) for image, top in tops.items()}
    owners: dict[str, int] = {}
    for chain in chains.values():
        for layer in chain:
            owners[layer] = owners.get(layer, 0) + 1
    return {
        image: sum(sizes[layer] for layer in chain if owners[layer] > 1) for image, chain in chains.items()
    }


def _chain(top: str | None, parents: Mapping[str, str | None]) -> list[str]:
    found: list[str] = []
    while top is not None and top in parents:
        found.append(top)
        top = parents[top]
    return found
