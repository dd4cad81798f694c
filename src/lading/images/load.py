"""Loading images from an archive: `docker load`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from lading.aio import tasks
from lading.aio.feed import read_in_thread
from lading.content import MAGIC_LENGTH, Content, detect, inflate
from lading.errors import InvalidParameter
from lading.images import machine
from lading.images.admit import Admission, Arrival
from lading.images.archive import Archive, ArchiveReader, Known
from lading.images.intake import ArrivedLayer, prepend
from lading.images.layout import PlannedImage, check_size
from lading.images.plan import LegacyImage, legacy_config, plan
from lading.images.reference import Reference, parse
from lading.oci.image import Platform
from lading.snapshots import Snapshots

Message = dict[str, Any]

# A progress line for every so many bytes; the client draws them.
_PROGRESS_STEP = 512 << 10
# Lines that wait for a client that reads nothing while it sends; from there on they are left out.
_BACKLOG = 512
_MOST_NAMES = 10_000


class Loader:
    """Takes archives in."""

    def __init__(
        self,
        admission: Admission,
        content: Content,
        snapshots: Snapshots,
        announce: Callable[[str, str, str], object],
    ) -> None:
        self._admission = admission
        self._content = content
        self._snapshots = snapshots
        self._announce = announce

    async def load(
        self, stream: AsyncIterator[bytes], quiet: bool, wanted: Sequence[Platform] = ()
    ) -> AsyncIterator[Message]:
        """Loads every image of an archive, giving progress and result messages.

        Of images for several platforms those `wanted`, or the one that runs best here.
        Raises LadingError; images whose names were given out by then stay.
        """
        messages: asyncio.Queue[Message | None] = asyncio.Queue()
        progress = _silent if quiet else _progress(asyncio.get_running_loop(), messages)
        with self._admission.under_way():
            reading = asyncio.create_task(self._read(stream, progress))
            reading.add_done_callback(lambda _: messages.put_nowait(None))
            try:
                while (message := await messages.get()) is not None:
                    yield message
            except BaseException:
                # The thread may be anywhere, or done; what it has taken in must be dropped before we go.
                reading.cancel()
                await tasks.give_up(reading, self._drop)
                raise
            archive = await reading
            try:
                async for message in self._admit_all(archive, wanted):
                    yield message
            finally:
                await tasks.in_thread(self._drop, archive)

    async def _read(self, stream: AsyncIterator[bytes], progress: Callable[[str, int, int], None]) -> Archive:
        reader = ArchiveReader(self._content, self._snapshots, self._known(), progress)
        return await read_in_thread(
            stream,
            lambda pull: reader.read(_inflated(pull)),
            self._drop,
        )

    def _drop(self, archive: Archive) -> None:
        archive.discard(self._snapshots)

    def _known(self) -> Known:
        layers = {
            layer.diff_id: ArrivedLayer(layer.blob_digest, layer.diff_id)
            for layer in self._snapshots.layers()
            if layer.blob_digest
        }
        return Known({layer.digest: layer.diff_id for layer in layers.values()}, layers)

    async def _admit_all(self, archive: Archive, wanted: Sequence[Platform]) -> AsyncIterator[Message]:
        for image in await tasks.in_own_thread(plan, archive.documents, machine.plain(), wanted):
            arrival = self._arrival(image, archive)
            try:
                admitted = await self._admission.admit(arrival)
            except BaseException:
                await tasks.in_thread(_discard, arrival, self._snapshots)
                raise
            for reference, before in admitted.replaced:
                yield _line(
                    f"The image {reference.familiar} already exists, "
                    f"renaming the old one with ID {before} to empty string"
                )
            for reference in arrival.references:
                yield _line(f"Loaded image: {reference.familiar}")
            if not arrival.references:
                yield _line(f"Loaded image ID: {admitted.image.id}")
            self._announce("load", admitted.image.id, admitted.image.id)

    def _arrival(self, planned: PlannedImage | LegacyImage, archive: Archive) -> Arrival:
        if len(planned.names) > _MOST_NAMES:
            raise InvalidParameter(f"an image with more than {_MOST_NAMES} names")
        self._admission.check_depth(len(planned.layers))
        references = [_loaded_name(name) for name in planned.names]
        layers: list[ArrivedLayer] = []
        try:
            for path in planned.layers:
                layers.append(_layer(archive, path))
            if isinstance(planned, LegacyImage):
                config = legacy_config(planned.chain, [layer.diff_id for layer in layers])
                return Arrival(config, layers, references=references)
            for layer, size in zip(layers, planned.sizes, strict=False):
                here = layer.ingest.size if layer.ingest is not None else self._size(layer.digest)
                check_size(layer.digest, size, here or size)
            arrival = Arrival(
                planned.config, layers, planned.manifest, planned.config_type, planned.parent, references
            )
            arrival.others = planned.others
            arrival.manifest_type = planned.manifest_type
            return arrival
        except BaseException:
            for position, layer in enumerate(layers):
                archive.layers[f"unused {position}"] = layer
            raise

    def _size(self, digest: str) -> int:
        return self._content.size(digest) if self._content.has(digest) else 0


def _inflated(pull: Callable[[], bytes]) -> Callable[[], bytes]:
    """Undoes the compression of the archive as a whole."""
    first = b""
    while len(first) < MAGIC_LENGTH and (piece := pull()):
        first += piece
    return inflate(prepend(first, pull), detect(first))


def _layer(archive: Archive, path: str) -> ArrivedLayer:
    actual = archive.follow(path.strip("/"))
    if actual in archive.broken:
        raise archive.broken[actual]
    layer = archive.layers.get(actual)
    if layer is None:
        raise InvalidParameter(f"the archive is incomplete: layer {path!r} is missing")
    return layer.take()


def _loaded_name(name: str) -> Reference:
    reference = parse(name)
    if reference.digest:
        raise InvalidParameter(f"invalid tag {name!r}")
    return reference.tagged()


def _discard(arrival: Arrival, snapshots: Snapshots) -> None:
    for layer in arrival.layers:
        layer.discard(snapshots)


def _line(text: str) -> Message:
    return {"stream": f"{text}\n"}


def _silent(_name: str, _done: int, _total: int) -> None:
    pass


def _progress(
    loop: asyncio.AbstractEventLoop, messages: "asyncio.Queue[Message | None]"
) -> Callable[[str, int, int], None]:
    shown: dict[str, int] = {}

    def report(name: str, done: int, total: int) -> None:
        if done < total and done - shown.get(name, -_PROGRESS_STEP) < _PROGRESS_STEP:
            return
        if messages.qsize() > _BACKLOG:
            return
        shown[name] = done
        message = {
            "status": "Loading layer",
            "progressDetail": {"current": done, "total": total},
            "id": name,
        }
        loop.call_soon_threadsafe(messages.put_nowait, message)

    return report
