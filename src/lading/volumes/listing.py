"""Which volumes a client wants to see, or wants gone. Pure."""

from collections.abc import Collection, Iterable

from lading.filters import Filters
from lading.volumes.record import ANONYMOUS_LABEL, DRIVER, Volume

LIST_FILTERS = frozenset({"dangling", "name", "driver", "label"})
"""The filters of `GET /volumes`."""
PRUNE_FILTERS = frozenset({"label", "label!", "all"})
"""The filters of `POST /volumes/prune`."""


def select(volumes: Iterable[Volume], used: Collection[str], filters: Filters) -> list[Volume]:
    """Those that pass `LIST_FILTERS`. Raises InvalidParameter."""
    dangling = filters.flag("dangling")
    return [
        volume
        for volume in volumes
        if (dangling is None or dangling is (volume.name not in used))
        and filters.fuzzy("name", volume.name)
        and filters.exact("driver", volume.driver)
        and filters.labels(volume.labels)
    ]


def prunable(volumes: Iterable[Volume], used: Collection[str], filters: Filters) -> list[Volume]:
    """Unused ones that pass `PRUNE_FILTERS`; those with a name only where `all` is true.

    Raises InvalidParameter.
    """
    named_too = filters.flag("all") or False
    return [
        volume
        for volume in volumes
        if volume.name not in used
        and volume.driver == DRIVER
        and (named_too or ANONYMOUS_LABEL in volume.labels)
        and filters.labels(volume.labels)
        and not any(
            Filters({"label": [unwanted]}).labels(volume.labels) for unwanted in filters.get("label!")
        )
    ]
