"""The front door to snapshots of volumes; see `duplicate`."""

from collections.abc import Collection

from lading.volumes import duplicate
from lading.volumes.context import Context


class Snapshots:
    """What volumes can be taken back to. `busy` are the containers that run."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def names(self, volume: str) -> list[str]:
        """Raises NotFound."""
        return duplicate.snapshots(self._ctx, volume)

    async def take(self, volume: str, name: str, busy: Collection[str], *, force: bool = False) -> None:
        """Raises NotFound, Conflict (also where a busy container uses it, unless forced), Unsupported."""
        await duplicate.take_snapshot(self._ctx, volume, name, busy, force=force)

    async def restore(self, volume: str, name: str, busy: Collection[str], *, force: bool = False) -> None:
        """The volume gets the files of the snapshot, which stays. Raises as `take`."""
        await duplicate.restore(self._ctx, volume, name, busy, force=force)

    async def remove(self, volume: str, name: str) -> None:
        """Raises NotFound."""
        await duplicate.remove_snapshot(self._ctx, volume, name)
