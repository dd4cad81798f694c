"""The front door to the file systems of containers."""

from collections.abc import AsyncIterator
from typing import Any

from lading.containers.archive import ExtractOptions, archive_of, extract_to, stat_in
from lading.containers.changes import changes_of
from lading.containers.commit import CommitOptions, commit
from lading.containers.context import Context
from lading.containers.export import export
from lading.containers.path_stat import PathStat
from lading.containers.volume_renaming import rename_volume


class ContainerFiles:
    """Every wish a user can have of a container's files, whether it runs or not."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def stat(self, reference: str, path: str) -> PathStat:
        """What a path leads to. Raises NotFound, InvalidParameter, Conflict, InternalError."""
        return await stat_in(self._ctx, self._ctx.registry.find(reference), reference, path)

    async def archive(self, reference: str, path: str) -> tuple[PathStat, AsyncIterator[bytes]]:
        """What a path leads to and a tar archive of it. Raises as `stat` does."""
        return await archive_of(self._ctx, self._ctx.registry.find(reference), reference, path)

    async def extract(
        self, reference: str, path: str, stream: AsyncIterator[bytes], options: ExtractOptions
    ) -> None:
        """Unpacks an archive into a directory. Raises as `stat` does."""
        container = self._ctx.registry.find(reference)
        await extract_to(self._ctx, container, reference, path, stream, options)

    async def export(self, reference: str) -> AsyncIterator[bytes]:
        """A tar archive of the whole root, without volumes. Raises NotFound, Conflict, InternalError."""
        return await export(self._ctx, self._ctx.registry.find(reference))

    async def changes(self, reference: str) -> list[dict[str, Any]]:
        """What differs from the image (Engine API 1.51, FilesystemChange). Raises NotFound, InternalError."""
        return await changes_of(self._ctx, self._ctx.registry.find(reference))

    async def commit(self, reference: str, options: CommitOptions) -> str:
        """Makes an image of it, and gives the image's ID. Raises LadingError, leaving nothing behind."""
        return await commit(self._ctx, self._ctx.registry.find(reference), options)

    def rename_volume(self, name: str, new: str, *, force: bool = False) -> None:
        """Gives a volume another name, in containers that use it too.

        Raises NotFound, Conflict (in use, unless forced), InvalidParameter, Unsupported.
        """
        rename_volume(self._ctx, name, new, force=force)
