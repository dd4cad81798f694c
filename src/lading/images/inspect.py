"""Telling everything about one image."""

from typing import Any

import msgspec

from lading.errors import NotFound
from lading.images import view
from lading.images.context import Context
from lading.images.record import Image
from lading.oci import platforms
from lading.oci.image import Platform, chain_ids

Json = dict[str, Any]

_BUILT_IN_UNTIL = (1, 45)


class _BuiltIn(msgspec.Struct, omit_defaults=True):
    """What old builders wrote of the container they committed."""

    container: str = msgspec.field(default="", name="container")
    container_config: dict[str, Any] | None = None


def find_for(ctx: Context, name: str, platform: Platform | None) -> Image:
    """The image called `name`, which must run on `platform` if one is asked for. Raises NotFound."""
    image = ctx.catalog.find(name)
    if platform is None:
        return image
    document = image.document
    found = Platform(document.architecture, document.os, document.variant, document.os_version)
    if platforms.best(platform, [found]) is None:
        raise NotFound(
            f"image with reference {name} was found but does not match the specified platform: "
            f"wanted {platforms.shown(platform)}, actual: {platforms.shown(found)}"
        )
    return image


def inspect(ctx: Context, name: str, version: view.Version, platform: Platform | None) -> Json:
    """What is known of an image, as the API of that version shows it. Raises NotFound."""
    image = find_for(ctx, name, platform)
    return view.inspection(
        image,
        ctx.catalog.references(image.id),
        ctx.snapshots.name,
        ctx.snapshots.layer_data(image.chain_id),
        _built_in(ctx, image) if version < _BUILT_IN_UNTIL else None,
        version,
    )


def _built_in(ctx: Context, image: Image) -> Json:
    try:
        found = msgspec.json.decode(ctx.content.read(image.id), type=_BuiltIn)
    except msgspec.MsgspecError:
        return {}
    shown: Json = {"Container": found.container}
    if found.container_config is not None:
        shown["ContainerConfig"] = found.container_config
    return shown


def history(ctx: Context, name: str, platform: Platform | None) -> list[Json]:
    """How an image came about. Raises NotFound."""
    image = find_for(ctx, name, platform)
    layers = [ctx.snapshots.layer(chain_id) for chain_id in chain_ids(image.document.diff_ids)]
    sizes = [layer.size for layer in layers if layer is not None]
    return view.history(image, sizes, _lineage(ctx, image))


def _lineage(ctx: Context, image: Image) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    current: Image | None = image
    while current is not None and len(found) < len(image.document.history or []):
        tags, _ = view.split_references(ctx.catalog.references(current.id))
        found.append((current.id, tags))
        current = ctx.catalog.get(current.parent) if current.parent else None
    return found
