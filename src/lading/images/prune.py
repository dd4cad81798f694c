"""Removing the images that nobody uses: `docker image prune`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from lading.errors import Conflict, NotFound
from lading.filters import Filters
from lading.images import listing
from lading.images.context import Context
from lading.images.list import candidates
from lading.images.removal import ImageUser
from lading.images.remove import Answer, Remover
from lading.units import now_ns

Users = Callable[[], Sequence[ImageUser]]


class Pruner:
    """Prunes for one daemon: one prune at a time."""

    def __init__(self, ctx: Context, remover: Remover) -> None:
        self._ctx = ctx
        self._remover = remover
        self._running = False

    async def prune(self, filters: Filters, users: Users) -> dict[str, Any]:
        """The answer to `POST /images/prune`; `users` gives all containers made from images.

        What was left of broken pulls goes too. Raises InvalidParameter; Conflict while one is under way.
        """
        if self._running:
            raise Conflict("a prune operation is already running")
        # Its names stay with an image that is used; dockerd takes all of them but the last.
        used = {user.image_id for user in users()}
        chosen = listing.prunable(candidates(self._ctx), used, filters, now_ns())
        self._running = True
        try:
            return await self._prune(chosen, users)
        finally:
            self._running = False

    async def _prune(self, chosen: list[listing.Candidate], users: Users) -> dict[str, Any]:
        sizes = {layer.chain_id: layer.size for layer in self._ctx.snapshots.layers()}
        removed: Answer = []
        # What went is cleared away once, and not again after each image.
        with self._ctx.admission.under_way():
            for candidate in chosen:
                removed += self._remove(candidate, users())
                # Others have their turn: of a thousand images each takes its time.
                await asyncio.sleep(0)
        reclaimed = self._ctx.content.remove_partials()
        reclaimed += sum(sizes.get(entry.get("Deleted", ""), 0) for entry in removed)
        self._ctx.publish("image", "prune", "", {"reclaimed": str(reclaimed)})
        return {"ImagesDeleted": removed or None, "SpaceReclaimed": reclaimed}

    def _remove(self, candidate: listing.Candidate, users: Sequence[ImageUser]) -> Answer:
        names = [str(reference) for reference in candidate.references] or [candidate.image.id]
        removed: Answer = []
        for name in names:
            try:
                removed += self._remover.remove(name, force=False, prune=True, users=users)
            except (Conflict, NotFound):
                # Used, or gone: with its last tag go the digests of the repository, with children parents.
                continue
        return removed
