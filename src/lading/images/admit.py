"""Making an image exist: the one way in, for load, import and all that follow.

Layers and documents have arrived under temporary names; one transaction makes
the layers, the blobs, the image and its names exist together.

What was written may still be in memory only. Syncing it first would double the
time of a load, so an image is marked with the boot it came in until a sync
has passed. After a power cut, images still marked are dropped: nobody can tell
whether their files are whole. A crash of the daemon alone loses nothing.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from lading.aio import tasks
from lading.content import Content
from lading.errors import InternalError, InvalidParameter, LadingError
from lading.images.catalog import Catalog
from lading.images.intake import ArrivedLayer, restage
from lading.images.record import Image, Record
from lading.images.reference import Reference
from lading.images.store import ImageStore
from lading.linux import mounts
from lading.oci import image as oci
from lading.snapshots import Snapshots
from lading.units import parse_rfc3339

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrival:
    """An image that has arrived whole: its documents as bytes, its layers lowest first."""

    config: bytes
    layers: list[ArrivedLayer]
    manifest: bytes = b""
    config_type: str = oci.CONFIG
    parent: str = ""
    references: list[Reference] = field(default_factory=list)
    # Documents kept with the image, and their media types: the indexes that led to it.
    others: list[tuple[bytes, str]] = field(default_factory=list)
    manifest_type: str = oci.MANIFEST


@dataclass(slots=True)
class Admitted:
    """An image that now exists, and the names that meant another image before."""

    image: Image
    replaced: list[tuple[Reference, str]]


class Admission:
    """Admits images, and clears away what no image needs any more."""

    def __init__(
        self, directory: str, store: ImageStore, catalog: Catalog, content: Content, snapshots: Snapshots
    ) -> None:
        self._directory = directory
        self._store = store
        self._catalog = catalog
        self._content = content
        self._snapshots = snapshots
        self._background = tasks.Background()
        self._under_way = 0
        self._clear_afterwards = False
        self._settling = self._unsettled = False
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            self._boot = file.read().strip()

    def open(self) -> None:
        """Drops images that a power cut may have damaged, and what no image needs.

        A power cut may also bring back an image that was removed, without its files.
        """
        damaged = [image_id for image_id, boot in self._store.unsettled().items() if boot != self._boot]
        for image_id in damaged:
            _log.warning("image %s came shortly before a power cut and is dropped: load it again", image_id)
            self._store.remove(image_id)
        lost = self._lost_layers()
        for image_id in self._store.ids():
            try:
                image = self._catalog.get(image_id)
            except LadingError as error:
                _log.warning("image %s cannot be read and is dropped: %s", image_id, error)
                self._store.remove(image_id)
                continue
            if image is not None and lost.intersection(oci.chain_ids(image.document.diff_ids)):
                _log.warning("image %s has lost layers and is dropped: pull or load it again", image_id)
                self._store.remove(image_id)
        self._catalog.changed()
        self.clear()

    def _lost_layers(self) -> set[str]:
        """Layers of which neither directory nor blob is left; what blobs they had is forgotten."""
        here, damaged = self._content.digests(), self._snapshots.soundness.damaged()
        gone = [layer for layer in self._snapshots.layers() if layer.blob_digest not in here]
        self._snapshots.soundness.forget_blobs([layer.blob_digest for layer in gone if layer.blob_digest])
        # What containers stand on is for a repair to tell of.
        used = self._snapshots.needed(())
        return {layer.chain_id for layer in gone if layer.chain_id in damaged and layer.chain_id not in used}

    async def close(self) -> None:
        """Leaves a sync under way to itself: its images stay marked."""
        await self._background.cancel()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """While something arrives, nothing it may count on is cleared away."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way and self._clear_afterwards:
                self.clear()

    def clear(self) -> None:
        """Removes layers and blobs that no image needs, at once or when nothing is under way any more."""
        self._clear_afterwards = self._under_way > 0
        if self._clear_afterwards:
            return
        self._snapshots.retain(self._store.chains())
        needed = self._store.blobs()
        needed.update(layer.blob_digest for layer in self._snapshots.layers())
        self._content.remove_all_but(needed)

    @property
    def is_alone(self) -> bool:
        """For one who has something under way: whether nobody else has."""
        return self._under_way == 1

    @property
    def is_clearing(self) -> bool:
        """Whether something waits to be cleared away."""
        return self._clear_afterwards

    def unneeded(self) -> dict[str, list[str]]:
        """What no image and no container needs: layers and blobs."""
        kept = self._snapshots.needed(self._store.chains())
        layers = self._snapshots.layers()
        needed = self._store.blobs()
        needed.update(layer.blob_digest for layer in layers)
        return {
            "layer": [layer.chain_id for layer in layers if layer.chain_id not in kept],
            "blob": sorted(self._content.digests() - needed),
        }

    def check_depth(self, layers: int) -> None:
        """Raises InvalidParameter where so many cannot be stacked."""
        if layers > (most := self._snapshots.max_layers):
            raise InvalidParameter(f"max depth exceeded: {layers} layers, {most} can be stacked")

    async def admit(self, arrival: Arrival) -> Admitted:
        """Makes the image exist. Raises LadingError; layers not used are then for the caller to discard."""
        document = oci.decode(oci.Image, arrival.config, "image configuration")
        _check_layers(document, arrival.layers)
        self.check_depth(len(arrival.layers))
        await self._complete(document, arrival.layers)
        try:
            with self._store.database.transaction():
                admitted = self._record(document, arrival)
        except BaseException as error:
            self._content.drop_unrecorded()
            if isinstance(error, OSError):
                raise InternalError(f"cannot keep the image: {error.strerror}") from None
            raise
        for layer in arrival.layers:
            # Now they exist: no longer ours to discard.
            layer.ingest = layer.staged = None
        self._catalog.changed()
        self._settle_soon()
        return admitted

    async def _complete(self, document: oci.Image, layers: list[ArrivedLayer]) -> None:
        """Unpacks what is known but not in this place, and lets directories look as below."""
        below: tuple[str, ...] = ()
        arrived = {layer.digest: layer.ingest.path for layer in layers if layer.ingest is not None}
        for layer, chain_id in zip(layers, oci.chain_ids(document.diff_ids), strict=True):
            if self._snapshots.layer(chain_id) is not None:
                below = self._snapshots.directories(chain_id)
                continue
            if layer.staged is None:
                path = arrived.get(layer.digest) or self._content.path(layer.digest)
                work = partial(restage, layer, path, self._snapshots)
                layer.staged = await tasks.held(work, self._snapshots.discard)
            await tasks.in_thread(self._snapshots.inherit, layer.staged, below)
            below = (*below, layer.staged.directory)

    def _record(self, document: oci.Image, arrival: Arrival) -> Admitted:
        chain_id: str | None = None
        size = 0
        for layer, wanted in zip(arrival.layers, oci.chain_ids(document.diff_ids), strict=True):
            if layer.ingest is not None:
                self._content.keep(layer.ingest, layer.media_type)
            if layer.staged is not None:
                self._snapshots.commit(layer.staged, layer.diff_id, chain_id, layer.digest)
            made = self._snapshots.layer(wanted)
            if made is None:
                raise InvalidParameter(f"layer {layer.digest} is not where it was")
            chain_id = wanted
            size += made.size
        image_id = self._content.write(arrival.config, arrival.config_type)
        layers = [layer.digest for layer in arrival.layers]
        # A layer that was here already may have come as another blob.
        blobs = [image_id, *(digest for digest in layers if self._content.has(digest))]
        manifest_digest = ""
        if arrival.manifest:
            manifest_digest = self._content.write(arrival.manifest, arrival.manifest_type)
            blobs.append(manifest_digest)
        blobs += [self._content.write(body, media_type) for body, media_type in arrival.others]
        image = Image(
            image_id,
            document,
            document.config or oci.ImageConfig(),
            chain_id,
            size,
            _created(document),
            # It may have gone while its child was made.
            arrival.parent if arrival.parent and self._store.row(arrival.parent) else "",
            manifest_digest,
            Record(tuple(dict.fromkeys(blobs))),
        )
        present = self._catalog.get(image_id)
        if present is None:
            self._store.add(image, self._boot)
        else:
            self._store.extend(present, image)
        replaced = []
        for reference in arrival.references:
            before = self._store.point(reference, image_id)
            if before:
                replaced.append((reference, before))
        return Admitted(image, replaced)

    def _settle_soon(self) -> None:
        self._unsettled = True
        if not self._settling:
            self._settling = True
            self._background.spawn(self._settle(), "sync new images")

    async def _settle(self) -> None:
        """One sync at a time, for all images that have come before it."""
        try:
            while self._unsettled:
                self._unsettled = False
                waiting = list(self._store.unsettled())
                await tasks.in_own_thread(mounts.sync_filesystem, self._directory)
                self._store.settle(waiting)
        finally:
            self._settling = False


def _check_layers(document: oci.Image, layers: list[ArrivedLayer]) -> None:
    expected = document.diff_ids
    if len(expected) != len(layers):
        raise InvalidParameter(
            f"invalid manifest, layers length mismatch: expected {len(expected)}, got {len(layers)}"
        )
    for layer, diff_id in zip(layers, expected, strict=True):
        if not oci.is_digest(diff_id):
            raise InvalidParameter(f"invalid diffID {diff_id!r}")
        if not layer.diff_id:
            layer.diff_id = diff_id
        if layer.diff_id != diff_id:
            raise InvalidParameter(f"invalid diffID for layer: expected {diff_id!r}, got {layer.diff_id!r}")


def _created(document: oci.Image) -> int:
    if not document.created:
        return 0
    try:
        return max(0, parse_rfc3339(document.created))
    except InvalidParameter:
        return 0
