"""Writing images into an archive: `docker save`."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial

from lading.aio.outflow import Outflow, flowing
from lading.errors import InternalError, InvalidParameter, LadingError, NotFound
from lading.ids import may_be_id_prefix
from lading.images import manifests, save_plan
from lading.images.context import Context
from lading.images.platforms import check
from lading.images.record import Image
from lading.images.reference import Reference, parse, parse_id
from lading.images.save_plan import SavedImage
from lading.oci import tar_writer
from lading.oci.image import Platform
from lading.oci.tar import Entry

# Large reads keep a disk busy, and each piece crosses to the loop once.
_PIECE = 1 << 20


async def save(ctx: Context, names: Sequence[str], platforms: Sequence[Platform]) -> AsyncIterator[bytes]:
    """One tar archive of all images named, piece by piece.

    What can be wrong with the names is raised before anything is given: NotFound,
    InvalidParameter. Nothing of the images goes away before the stream is closed.
    """
    stream = _save(ctx, names, platforms)
    # Begun, so that whoever closes the stream gives back what it holds.
    await anext(stream)
    return stream


async def _save(
    ctx: Context, names: Sequence[str], platforms: Sequence[Platform]
) -> AsyncGenerator[bytes, None]:
    with ctx.admission.under_way():
        chosen = _choose(ctx, names)
        for image, tags in chosen.values():
            check(image, platforms, tags[0].familiar if tags else image.id)
        packed = _packed(ctx, [image for image, _ in chosen.values()])
        images = [_saved(ctx, image, tags, packed) for image, tags in chosen.values()]
        archive = save_plan.plan(images)
        work = partial(_write, archive=archive, ctx=ctx)
        async with aclosing(flowing(work, "save", _unreadable)) as stream:
            async for piece in stream:
                yield piece
        for image_id in chosen:
            ctx.announce("save", image_id, image_id)


def _unreadable(error: OSError) -> LadingError:
    return InternalError(f"cannot read a blob of the image: {error.strerror}")


def _write(flow: Outflow[None], archive: save_plan.Archive, ctx: Context) -> None:
    for digest, size in archive.blobs:
        if os.stat(ctx.content.path(digest)).st_size != size:
            raise InternalError(f"blob {digest} is damaged: load or pull the image again")
    flow.announce(None)
    for path, body in archive.documents:
        flow.push(_header(path, len(body)) + body + tar_writer.padding(len(body)))
    for digest, size in archive.blobs:
        flow.push(_header(save_plan.blob_path(digest), size))
        left = size
        with open(ctx.content.path(digest), "rb", buffering=0) as file:
            while left and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                flow.push(piece)
        if left:
            raise InternalError(f"blob {digest} is shorter than it was")
        flow.push(tar_writer.padding(size))
    flow.push(tar_writer.END)


def _header(path: str, size: int) -> bytes:
    return tar_writer.header(Entry(path.encode(), size=size))


def _packed(ctx: Context, images: Sequence[Image]) -> dict[str, str]:
    """The packed form of plain layers, where a push has made one.

    The manifest of an image that was pushed names it; others that share the layer take it
    too, so that it is in the archive once.
    """
    made = {plain: packed for image in images for plain, packed in image.record.compressed.items()}
    return {plain: packed for plain, packed in made.items() if ctx.content.has(packed)}


def _saved(ctx: Context, image: Image, tags: list[Reference], packed: dict[str, str]) -> SavedImage:
    if not image.document.diff_ids:
        raise LadingError("empty export - not implemented")
    size = ctx.content.size(image.id)
    found = manifests.kept(ctx, image)
    if found is not None:
        body, manifest = found
        layers = [manifests.described(ctx, layer.digest) for layer in manifest.layers]
    else:
        layers = [
            manifests.described(ctx, packed[layer.digest]) if layer.digest in packed else layer
            for layer in manifests.layers(ctx, image)
        ]
        body = save_plan.made_manifest(image.id, size, layers)
    return SavedImage(image.id, image.document, size, body, layers, tags)


def _choose(ctx: Context, names: Sequence[str]) -> dict[str, tuple[Image, list[Reference]]]:
    """The images by ID, and the tags each is saved with: only those that were asked for."""
    if not names:
        raise InvalidParameter("no image to save: the parameter names is missing")
    chosen: dict[str, tuple[Image, list[Reference]]] = {}
    for name in names:
        for image, tag in _named(ctx, name):
            tags = chosen.setdefault(image.id, (image, []))[1]
            if tag is not None and tag not in tags:
                tags.append(tag)
    return chosen


def _named(ctx: Context, name: str) -> list[tuple[Image, Reference | None]]:
    """What a name stands for: without a tag, all tags of the repository."""
    if parse_id(name) or name.startswith("sha256:"):
        return [(ctx.catalog.find(name), None)]
    reference = parse(name)
    if not reference.tag and not reference.digest:
        found = _repository(ctx, reference.name)
        return found or [(_by_id(ctx, name), None)]
    image = ctx.catalog.get(ctx.store.target(reference.stored()))
    if image is None:
        raise NotFound("reference does not exist")
    return [(image, None if reference.digest else reference)]


def _repository(ctx: Context, repository: str) -> list[tuple[Image, Reference | None]]:
    found: list[tuple[Image, Reference | None]] = []
    for image_id, references in ctx.store.references().items():
        for reference in references:
            image = ctx.catalog.get(image_id) if reference.name == repository else None
            if image is not None:
                found.append((image, None if reference.digest else reference))
    # Alphabetical, so that the same images always give the same archive.
    return sorted(found, key=lambda item: str(item[1] or ""))


def _by_id(ctx: Context, name: str) -> Image:
    """The image whose ID begins with a word that could also have been a repository."""
    found = ctx.store.ids_beginning(f"sha256:{name}") if may_be_id_prefix(name) else []
    image = ctx.catalog.get(found[0]) if len(found) == 1 else None
    if image is None:
        raise NotFound(f"No such image: {name}")
    return image
