"""Listing images, and how much they take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lading.filters import Filters
from lading.images import listing, view
from lading.images.context import Context
from lading.images.removal import ImageUser
from lading.units import now_ns, parse_moment

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks of a list. With `users` it tells how many containers each image has."""

    filters: Filters
    everything: bool = False
    shared_size: bool = False
    users: Sequence[ImageUser] | None = None
    version: view.Version = view.CURRENT


def list_images(ctx: Context, wanted: Wanted) -> list[Json]:
    """The images that fit, newest first.

    Raises InvalidParameter, and NotFound for what `before` and `since` name.
    """
    bounds = listing.Bounds(_after(ctx, wanted.filters), _before(ctx, wanted.filters))
    shared = _shared_sizes(ctx) if wanted.shared_size else {}
    counts = None if wanted.users is None else _counts(wanted.users)
    return [
        view.summary(
            candidate,
            shared.get(candidate.image.id, -1),
            -1 if counts is None else counts.get(candidate.image.id, 0),
            wanted.version,
        )
        for candidate in listing.choose(candidates(ctx), wanted.filters, bounds, wanted.everything)
    ]


def disk_usage(ctx: Context, users: Sequence[ImageUser], version: view.Version) -> Json:
    """The part of images in `GET /system/df`: the layers' bytes, each once, and the images.

    What is counted is what containers see, as dockerd does: not the packed
    layers that are kept for pushing and saving.
    """
    shown = list_images(ctx, Wanted(Filters(), shared_size=True, users=users, version=version))
    return {"LayersSize": sum(layer.size for layer in ctx.snapshots.layers()), "Images": shown}


def candidates(ctx: Context) -> list[listing.Candidate]:
    """Every image, with what it is called."""
    catalog = ctx.catalog
    references = catalog.all_references()
    return [
        listing.Candidate(entry, references.get(entry.id, []), catalog.has_children(entry.id))
        for entry in catalog.entries()
    ]


def _counts(users: Sequence[ImageUser]) -> dict[str, int]:
    found: dict[str, int] = {}
    for user in users:
        found[user.image_id] = found.get(user.image_id, 0) + 1
    return found


def _after(ctx: Context, filters: Filters) -> int | None:
    moments = [ctx.catalog.find(name).created_ns for name in filters.get("since")]
    return max(moments, default=None)


def _before(ctx: Context, filters: Filters) -> int | None:
    moments = [ctx.catalog.find(name).created_ns for name in filters.get("before")]
    moments += [parse_moment(text, now_ns()) for text in filters.get("until")]
    return min(moments, default=None)


def _shared_sizes(ctx: Context) -> dict[str, int]:
    layers = ctx.snapshots.layers()
    return listing.shared_sizes(
        {entry.id: entry.chain_id for entry in ctx.catalog.entries()},
        {layer.chain_id: layer.parent for layer in layers},
        {layer.chain_id: layer.size for layer in layers},
    )
