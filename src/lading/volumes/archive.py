"""The files of a volume as a tar archive, and back."""

import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing

from lading.aio.feed import read_in_thread
from lading.aio.outflow import Outflow, flowing
from lading.content import MAGIC_LENGTH, detect, inflate
from lading.errors import Conflict, InternalError, InvalidParameter, LadingError
from lading.linux.collect import Collector
from lading.linux.extract import Extraction
from lading.volumes.access import check_idle, check_ours, opened
from lading.volumes.context import Context
from lading.volumes.directories import delete
from lading.volumes.fresh import build, install, replace
from lading.volumes.names import check_name
from lading.volumes.record import Volume
from lading.volumes.removal import find

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESSIONS = ("none", "zstd")
"""What an archive can be written with; gzip, xz and bzip2 are read too."""


async def export(
    ctx: Context, name: str, compression: str, busy: Collection[str], *, force: bool
) -> AsyncIterator[bytes]:
    """Raises NotFound, Conflict, InvalidParameter, InternalError."""
    if compression not in COMPRESSIONS:
        raise InvalidParameter(f"export {name}: the compression must be one of {', '.join(COMPRESSIONS)}")
    find(ctx, name)
    check_idle(ctx, "export", name, busy, force=force)
    stream = _export(ctx, name, compression)
    # Begun, so that whoever closes the stream gives back what it holds.
    await anext(stream)
    return stream


async def _export(ctx: Context, name: str, compression: str) -> AsyncGenerator[bytes, None]:
    async with opened(ctx, name) as source:

        def work(flow: Outflow[None]) -> None:
            directory = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                flow.announce(None)
                _collect(directory, flow.push, compression)
            finally:
                os.close(directory)

        def problem(error: OSError) -> LadingError:
            return InternalError(f"export {name}: {error.strerror}")

        async with aclosing(flowing(work, "export a volume", problem)) as stream:
            async for piece in stream:
                yield piece


def _collect(directory: int, push: Callable[[bytes], None], compression: str) -> None:
    squeeze = zstd.ZstdCompressor() if compression == "zstd" else None

    def squeezed(piece: bytes) -> None:
        if squeeze is not None and (out := squeeze.compress(piece)):
            push(out)

    collector = Collector(push if squeeze is None else squeezed)
    collector.add(directory, b".", b".")
    collector.finish()
    if squeeze is not None:
        push(squeeze.flush())


async def take_in(
    ctx: Context, name: str, stream: AsyncIterator[bytes], busy: Collection[str], *, force: bool
) -> Volume:
    """A volume with the files of an archive, plain or compressed; another's files only by force.

    Nothing has changed where it fails. Raises Conflict, InvalidParameter, Unsupported.
    """
    check_name(name)
    volume = ctx.store.get(name)
    if volume is None:
        return install(ctx, name, await _unpacked(ctx, stream), "import")
    check_ours("import", volume)
    check_idle(ctx, "import", name, busy, force=force)
    async with opened(ctx, name) as data:
        if os.listdir(data) and not force:
            raise Conflict(f"import {name}: the volume has files already: use force to have them replaced")
        await replace(ctx, volume, await _unpacked(ctx, stream), busy, "import")
    return volume


async def _unpacked(ctx: Context, stream: AsyncIterator[bytes]) -> str:
    def work(pull: Callable[[], bytes]) -> str:
        return build(ctx, lambda into: _unpack(into, pull))

    return await read_in_thread(stream, work, lambda path: delete([path]))


def _unpack(into: str, pull: Callable[[], bytes]) -> None:
    start = b""
    while len(start) < MAGIC_LENGTH and (piece := pull()):
        start += piece
    if not start:
        raise InvalidParameter("the archive is empty")
    rest = [start]
    root = os.open(into, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        Extraction(root).run(inflate(lambda: rest.pop() if rest else pull(), detect(start)))
    finally:
        os.close(root)
