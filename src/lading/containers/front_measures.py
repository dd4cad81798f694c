"""The front door to what running containers do and take."""

from collections.abc import AsyncIterator
from typing import Any

from lading.containers.context import Context
from lading.containers.stats import Sampler, stats
from lading.containers.top import top
from lading.errors import InvalidParameter


class Measures:
    """Looking into containers without changing anything."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._sampler = Sampler(ctx)

    async def top(self, reference: str, arguments: str) -> dict[str, Any]:
        """Its processes, by `ps`. Raises NotFound, Conflict, InvalidParameter, InternalError."""
        return await top(self._ctx, self._ctx.registry.find(reference), arguments)

    def stats(self, reference: str, *, stream: bool, one_shot: bool) -> AsyncIterator[dict[str, Any]]:
        """What it takes: a sample each second, or one. Raises NotFound, InvalidParameter."""
        if stream and one_shot:
            raise InvalidParameter("cannot have stream=true and one-shot=true")
        container = self._ctx.registry.find(reference)
        return stats(self._sampler, container, stream=stream, one_shot=one_shot)
