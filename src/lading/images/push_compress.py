"""Layers that are stored plain, made fit for registries; kept, so that it is done once."""

import asyncio
import os
from collections.abc import Callable, Iterable

import msgspec

from lading.aio import tasks
from lading.aio.shared import Shared
from lading.content import Ingest, deflate
from lading.errors import InternalError
from lading.images.context import Context
from lading.images.manifests import described
from lading.oci import image as oci

Progress = Callable[[int, int], None]


class Compressor:
    """Compresses for all pushes of the daemon, each layer once. Loop thread."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._under_way: dict[str, Shared[str]] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._background = tasks.Background()

    async def compressed(self, image_id: str, plain: oci.Descriptor, progress: Progress) -> oci.Descriptor:
        """The gzip form of a layer. Raises InternalError.

        Nothing may count on it before it has `settled`. `progress` is called from
        another thread with the bytes done and all bytes.
        """
        with self._ctx.admission.under_way():
            digest = self._known(plain.digest)
            if not digest:
                work = self._under_way.get(plain.digest)
                if work is None:
                    work = Shared(lambda: self._compress(image_id, plain, progress))
                    self._under_way[plain.digest] = work
                digest = await work.result()
            return described(self._ctx, digest)

    async def settled(self, digests: Iterable[str]) -> None:
        """Waits until what was made of these is on the disk. Raises InternalError."""
        waiting = [self._settling[digest] for digest in digests if digest in self._settling]
        await asyncio.gather(*map(asyncio.shield, waiting))

    async def close(self) -> None:
        """Leaves what is not on the disk yet to be made again."""
        await self._background.cancel()

    def _known(self, plain: str) -> str:
        """The gzip form that some image has already."""
        for record in self._ctx.store.records().values():
            digest = record.compressed.get(plain, "")
            if digest and self._ctx.content.has(digest):
                return digest
        return ""

    async def _compress(self, image_id: str, plain: oci.Descriptor, progress: Progress) -> str:
        content = self._ctx.content
        try:
            # Held by the work itself: whoever asked for it may go away before it ends.
            with self._ctx.admission.under_way():
                arrived = content.ingest()
                path = content.path(plain.digest)
                await tasks.in_own_thread(_pack, path, arrived, lambda done: progress(done, plain.size))
                digest = content.keep(arrived, oci.LAYER_GZIP)
                settling = self._settle(image_id, plain.digest, digest)
                self._settling[digest] = self._background.spawn(settling, f"settle {digest}")
                return digest
        finally:
            del self._under_way[plain.digest]

    async def _settle(self, image_id: str, plain: str, digest: str) -> None:
        """Syncs the file while it is sent already: the image counts as safely on the disk since long."""
        try:
            with self._ctx.admission.under_way():
                await tasks.in_own_thread(_sync, self._ctx.content.path(digest))
                self._remember(image_id, plain, digest)
        finally:
            del self._settling[digest]

    def _remember(self, image_id: str, plain: str, digest: str) -> None:
        image = self._ctx.catalog.get(image_id)
        if image is None or image.record.compressed.get(plain) == digest:
            return
        record = msgspec.structs.replace(
            image.record,
            blobs=tuple(dict.fromkeys((*image.record.blobs, digest))),
            compressed={**image.record.compressed, plain: digest},
        )
        self._ctx.store.record(image_id, record)
        self._ctx.catalog.changed()


def _pack(path: str, into: Ingest, going_on: Callable[[int], None]) -> None:
    try:
        deflate(path, into, going_on)
        into.finish()
    except OSError as error:
        into.discard()
        raise InternalError(f"cannot compress a layer: {error.strerror}") from None
    except BaseException:
        into.discard()
        raise


def _sync(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InternalError(f"cannot keep a compressed layer: {error.strerror}") from None
