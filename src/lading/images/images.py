"""The front door of the room."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from lading.aio import process, tasks
from lading.errors import InternalError, InvalidParameter
from lading.filters import Filters
from lading.images import machine, starter, view
from lading.images.check import Checker
from lading.images.committing import Commit, Committer
from lading.images.context import Context
from lading.images.importing import Importer
from lading.images.inspect import find_for, history, inspect
from lading.images.intake import ArrivedLayer, LayerIntake
from lading.images.list import Wanted, disk_usage, list_images
from lading.images.load import Loader, Message
from lading.images.prune import Pruner
from lading.images.record import Image
from lading.images.reference import Reference, parse, parse_repository
from lading.images.removal import ImageUser
from lading.images.remove import Answer, Remover
from lading.oci.image import Platform
from lading.units import now_ns

Json = dict[str, Any]


class Images:
    """The images of one daemon. Loop thread."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._content, self._snapshots = content, snapshots = ctx.content, ctx.snapshots
        self._store, self._catalog, self._admission = ctx.store, ctx.catalog, ctx.admission
        self._announce = ctx.announce
        self._loader = Loader(self._admission, content, snapshots, self._announce)
        self._importer = Importer(self._admission, content, snapshots)
        self._committer = Committer(self._admission, self._catalog, content, snapshots, self._importer)
        self._remover = Remover(self._store, self._catalog, snapshots, self._admission, self._announce)
        self._pruner = Pruner(ctx, self._remover)
        self._checker = Checker(ctx)

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

    def load(
        self, stream: AsyncIterator[bytes], quiet: bool = False, wanted: Sequence[Platform] = ()
    ) -> AsyncIterator[Message]:
        """Loads an archive, compressed or not; gives docker's messages. Raises LadingError.

        Of images for several platforms those `wanted`, or the one that runs best here.

        Close the iterator if it is not read to its end: only that stops the work.
        """
        return self._loader.load(stream, quiet, wanted)

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
        self,
        name: str,
        force: bool = False,
        prune: bool = True,
        users: Sequence[ImageUser] = (),
        platforms: Sequence[Platform] = (),
    ) -> Answer:
        """Removes a name, and the image with its last one; gives docker's answer.

        `users` are all containers made from images; of `platforms` there may be
        one, which the image must be for. Raises NotFound, Conflict, InvalidParameter.
        """
        if len(platforms) > 1:
            raise InvalidParameter("multiple platforms are not supported")
        if platforms:
            find_for(self._ctx, name, platforms[0])
        return self._remover.remove(name, force, prune, users)

    def clear(self) -> None:
        """Removes layers that stood only for a container which is gone now."""
        self._admission.clear()

    def inspect(
        self, name: str, version: view.Version = view.CURRENT, platform: Platform | None = None
    ) -> Json:
        """What is known of an image, as the API of that version shows it.

        Raises NotFound, also where it is for another platform than the one asked for.
        """
        return inspect(self._ctx, name, version, platform)

    def history(self, name: str, platform: Platform | None = None) -> list[Json]:
        """How an image came about. Raises NotFound as `inspect`."""
        return history(self._ctx, name, platform)

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
            document = starter.document(busybox, layer.diff_id, machine.plain().architecture)
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
        users: Sequence[ImageUser] | None = None,
        version: view.Version = view.CURRENT,
    ) -> list[Json]:
        """The images that fit, newest first. With `users`, all containers, it tells how many each has.

        Raises InvalidParameter, and NotFound for what `before` and `since` name.
        """
        wanted = Wanted(filters or Filters(), everything, shared_size, users, version)
        return list_images(self._ctx, wanted)

    def disk_usage(self, users: Sequence[ImageUser], version: view.Version = view.CURRENT) -> Json:
        """The part of images in `GET /system/df`."""
        return disk_usage(self._ctx, users, version)

    async def prune(self, filters: Filters, users: Callable[[], Sequence[ImageUser]]) -> Json:
        """Removes what nobody uses: the answer to `POST /images/prune`.

        Raises InvalidParameter; Conflict while one is under way.
        """
        return await self._pruner.prune(filters, users)

    def check(
        self, users: Callable[[], Sequence[ImageUser]], *, repair: bool = False, deep: bool = False
    ) -> AsyncIterator[Json]:
        """Looks through all that images are made of: progress, and at last what was found.

        A `deep` check unpacks each layer anew to compare it. Raises Conflict while one is under way.
        """
        return self._checker.check(users, repair=repair, deep=deep)


def _new_name(repository: str, tag: str) -> Reference | None:
    reference = parse_repository(repository, tag) if repository else None
    if reference is not None and reference.digest:
        raise InvalidParameter("cannot import digest reference")
    return reference
