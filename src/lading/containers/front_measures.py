"""The front door to what running containers do and take."""

from collections.abc import AsyncIterator
from typing import Any

from lading.aio.shared import Shared
from lading.containers.context import Context
from lading.containers.list import list_containers
from lading.containers.stats import Sampler, stats
from lading.containers.top import top
from lading.errors import InvalidParameter
from lading.filters import Filters


class Measures:
    """Looking into containers without changing anything."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._sampler = Sampler(ctx)
        self._disk_usage = Shared(self._measure_disks)

    async def top(self, reference: str, arguments: str) -> dict[str, Any]:
        """Its processes, by `ps`. Raises NotFound, Conflict, InvalidParameter, InternalError."""
        return await top(self._ctx, self._ctx.registry.find(reference), arguments)

    async def disk_usage(self) -> list[dict[str, Any]]:
        """All containers with the bytes they take; those who ask at once share one measurement."""
        return await self._disk_usage.result()

    async def _measure_disks(self) -> list[dict[str, Any]]:
        return await list_containers(self._ctx, Filters(), show_all=True, limit=0, size=True)

    def stats(self, reference: str, *, stream: bool, one_shot: bool) -> AsyncIterator[dict[str, Any]]:
        """What it takes: a sample each second, or one. Raises NotFound, InvalidParameter."""
        if stream and one_shot:
            raise InvalidParameter("cannot have stream=true and one-shot=true")
        container = self._ctx.registry.find(reference)
        return stats(self._sampler, container, stream=stream, one_shot=one_shot)
