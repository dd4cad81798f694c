"""The second front door of the room: images between this engine, registries and archives."""

from collections.abc import AsyncIterator, Sequence

from lading.distribution import Registries
from lading.images import save
from lading.images.context import Context
from lading.oci.image import Platform


class ImageTransfers:
    """Pull, push, save and what else registries are asked. Loop thread."""

    def __init__(self, ctx: Context, registries: Registries, downloads: int = 3, uploads: int = 5) -> None:
        self._ctx = ctx
        self._registries = registries

    async def save(self, names: Sequence[str], platforms: Sequence[Platform] = ()) -> AsyncIterator[bytes]:
        """One archive of all images named. Raises NotFound and InvalidParameter before it gives anything.

        Close the iterator if it is not read to its end.
        """
        return await save.save(self._ctx, names, platforms)

    async def close(self) -> None:
        """Ends what is under way."""
