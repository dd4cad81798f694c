"""The front door of the room."""

import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from lading.aio import process, tasks
from lading.errors import InternalError, InvalidParameter
from lading.filters import Filters
from lading.images import listing, starter, view
from lading.images.committing import Commit, Committer
from lading.images.context import Context
from lading.images.importing import Importer
from lading.images.intake import ArrivedLayer, LayerIntake
from lading.images.load import Loader, Message, architecture
from lading.images.record import Image
from lading.images.reference import Reference, parse, parse_repository
from lading.images.removal import ImageUser
from lading.images.remove import Answer, Remover
from lading.oci.image import chain_ids
from lading.units import now_ns, parse_moment

Json = dict[str, Any]


class Images:
    """The images of one daemon. Loop thread."""

    def __init__(self, ctx: Context) -> None:
        self._content, self._snapshots = content, snapshots = ctx.content, ctx.snapshots
        self._store, self._catalog, self._admission = ctx.store, ctx.catalog, ctx.admission
        self._announce = ctx.announce
        self._loader = Loader(self._admission, content, snapshots, self._announce)
        self._importer = Importer(self._admission, content, snapshots)
        self._committer = Committer(self._admission, self._catalog, content, snapshots, self._importer)
        self._remover = Remover(self._store, self._catalog, snapshots, self._admission, self._announce)

    def open(self) -> None:
        """Checks what is there; content and snapshots must be open. Raises OSError."""
        self._admission.open()

    async def close(self) -> None:
        """Stops what runs in the background."""
        await self._admission.close()

    def resolve(self, name: str) -> Image:
        """The image a name or an ID, or the beginning of an ID, means. Raises NotFound, InvalidParameter."""
        return self._catalog.find(name)

    def get(self, image_id: str) -> Image | None:
        """The image with exactly this ID, or None."""
        return self._catalog.get(image_id)

    def names(self, image_id: str) -> list[str]:
        """The tags of an image, in short form."""
        return view.split_references(self._catalog.references(image_id))[0]

    def count(self) -> int:
        """How many images there are."""
        return len(self._store.ids())

    def load(self, stream: AsyncIterator[bytes], quiet: bool = False) -> AsyncIterator[Message]:
        """Loads an archive, compressed or not; gives docker's messages. Raises LadingError.

        Close the iterator if it is not read to its end: only that stops the work.
        """
        return self._loader.load(stream, quiet)

    async def import_(
        self,
        stream: AsyncIterator[bytes],
        repository: str = "",
        tag: str = "",
        changes: Sequence[str] = (),
        message: str = "",
        platform: str = "",
    ) -> str:
        """Makes an image from the archive of a root file system, and gives its ID.

        Raises LadingError, leaving nothing behind.
        """
        reference = _new_name(repository, tag)
        image_id = await self._importer.import_(
            stream, reference, changes, message or "Imported from -", platform
        )
        if reference is not None:
            self._tagged(image_id, reference.familiar)
        self._announce("import", image_id, image_id)
        return image_id

    async def commit(self, order: Commit, repository: str = "", tag: str = "") -> tuple[str, str]:
        """Makes an image of another one and a layer on top; gives its ID, and its name if it has one.

        Raises LadingError, leaving nothing behind.
        """
        reference = _new_name(repository, tag)
        image = await self._committer.commit(order, reference)
        self._announce("create", image.id, image.id)
        if reference is None:
            return image.id, ""
        self._tagged(image.id, reference.familiar)
        return image.id, reference.familiar

    def tag(self, name: str, repository: str, tag: str = "") -> None:
        """Gives an image another name. Raises NotFound, InvalidParameter."""
        image = self._catalog.find(name)
        reference = parse_repository(repository, tag)
        if reference.digest:
            raise InvalidParameter("refusing to create a tag with a digest reference")
        self._store.point(reference, image.id)
        self._catalog.changed()
        self._tagged(image.id, reference.familiar)

    def _tagged(self, image_id: str, name: str) -> None:
        image = self._catalog.get(image_id)
        if image is not None:
            self._store.record(image_id, msgspec.structs.replace(image.record, last_tagged_ns=now_ns()))
            self._catalog.changed()
        self._announce("tag", image_id, name)

    def remove(
        self, name: str, force: bool = False, prune: bool = True, users: Sequence[ImageUser] = ()
    ) -> Answer:
        """Removes a name, and the image with its last one; gives docker's answer.

        `users` are all containers made from images. Raises NotFound, Conflict.
        """
        return self._remover.remove(name, force, prune, users)

    def clear(self) -> None:
        """Removes layers that stood only for a container which is gone now."""
        self._admission.clear()

    def inspect(self, name: str, version: view.Version = view.CURRENT) -> Json:
        """What is known of an image, as the API of that version shows it. Raises NotFound."""
        image = self._catalog.find(name)
        references = self._catalog.references(image.id)
        driver_data = self._snapshots.layer_data(image.chain_id)
        return view.inspection(image, references, self._snapshots.name, driver_data, version)

    def history(self, name: str) -> list[Json]:
        """How an image came about. Raises NotFound."""
        image = self._catalog.find(name)
        layers = [self._snapshots.layer(chain_id) for chain_id in chain_ids(image.document.diff_ids)]
        sizes = [layer.size for layer in layers if layer is not None]
        return view.history(image, sizes, self.names(image.id))

    async def ensure_starter(self) -> Image:
        """The starter image, made first where it is missing.

        Raises NotFound or Unsupported without a static busybox.
        """
        reference = parse(starter.STARTER)
        target = self._store.target(reference)
        present = self._catalog.get(target) if target else None
        if present is not None:
            return present
        path = starter.find_busybox()
        listed = await process.run([path, "--list"])
        if listed.code:
            raise InternalError(f"{path} --list failed: {listed.stderr.decode(errors='replace')}")
        applets = tuple(listed.stdout.decode().split())
        with self._admission.under_way():
            busybox, layer = await tasks.in_thread(self._take_starter, path, applets)
            document = starter.document(busybox, layer.diff_id, architecture())
            return await self._importer.make(document, [layer], [reference])

    def _take_starter(self, path: str, applets: tuple[str, ...]) -> tuple[starter.Busybox, ArrivedLayer]:
        with open(path, "rb") as file:
            busybox = starter.Busybox(file.read(), int(os.fstat(file.fileno()).st_mtime), applets)
        intake = LayerIntake(self._content, self._snapshots)
        try:
            for piece in starter.layer(busybox):
                intake.feed(piece)
        except BaseException:
            intake.abort()
            raise
        return busybox, intake.finish()

    def list(
        self,
        filters: Filters | None = None,
        *,
        everything: bool = False,
        shared_size: bool = False,
        version: view.Version = view.CURRENT,
    ) -> list[Json]:
        """The images that fit, newest first.

        Raises InvalidParameter, and NotFound for what `before` and `since` name.
        """
        wanted = filters or Filters()
        bounds = listing.Bounds(self._after(wanted), self._before(wanted))
        candidates = [
            listing.Candidate(
                image, self._catalog.references(image.id), bool(self._catalog.children(image.id))
            )
            for image in self._catalog.all()
        ]
        shared = self._shared_sizes() if shared_size else {}
        return [
            view.summary(candidate, shared.get(candidate.image.id, -1), version)
            for candidate in listing.choose(candidates, wanted, bounds, everything)
        ]

    def _after(self, filters: Filters) -> int | None:
        moments = [self._catalog.find(name).created_ns for name in filters.get("since")]
        return max(moments, default=None)

    def _before(self, filters: Filters) -> int | None:
        moments = [self._catalog.find(name).created_ns for name in filters.get("before")]
        moments += [parse_moment(text, now_ns()) for text in filters.get("until")]
        return min(moments, default=None)

    def _shared_sizes(self) -> dict[str, int]:
        layers_of = {image.id: chain_ids(image.document.diff_ids) for image in self._catalog.all()}
        sizes = {layer.chain_id: layer.size for layer in self._snapshots.layers()}
        return listing.shared_sizes(layers_of, sizes)


def _new_name(repository: str, tag: str) -> Reference | None:
    reference = parse_repository(repository, tag) if repository else None
    if reference is not None and reference.digest:
        raise InvalidParameter("cannot import digest reference")
    return reference
