"""The front door to what running containers do and take."""

from typing import Any

from lading.containers.context import Context
from lading.containers.top import top


class Measures:
    """Looking into containers without changing anything."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def top(self, reference: str, arguments: str) -> dict[str, Any]:
        """Its processes, by `ps`. Raises NotFound, Conflict, InvalidParameter, InternalError."""
        return await top(self._ctx, self._ctx.registry.find(reference), arguments)
