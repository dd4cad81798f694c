"""The second front door of the room: images between this engine, registries and archives."""

from lading.distribution import Registries
from lading.images.context import Context


class ImageTransfers:
    """Pull, push, save and what else registries are asked. Loop thread."""

    def __init__(self, ctx: Context, registries: Registries, downloads: int = 3, uploads: int = 5) -> None:
        self._ctx = ctx
        self._registries = registries

    async def close(self) -> None:
        """Ends what is under way."""
