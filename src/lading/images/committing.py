"""Making an image from another one and what was changed on top of it: `docker commit`.

Source: moby 28, `image.NewChildImage`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lading.aio import tasks
from lading.content import Content
from lading.errors import InternalError, NotFound
from lading.images.admit import Admission
from lading.images.catalog import Catalog
from lading.images.importing import Importer
from lading.images.intake import ArrivedLayer, LayerIntake
from lading.images.record import Image
from lading.images.reference import Reference
from lading.oci import image as oci
from lading.snapshots import Snapshots
from lading.units import now_ns, rfc3339

Write = Callable[[Callable[[bytes], None]], None]


@dataclass(frozen=True, slots=True)
class Commit:
    """An image to be: on top of `parent`, with what `write` writes as its last layer.

    `write` is called in a thread with a function that takes the layer's
    archive; None where nothing was changed. `created_by` and `comment` are for
    the history.
    """

    parent: str
    config: oci.ImageConfig
    write: Write | None
    created_by: str = ""
    author: str = ""
    comment: str = ""


class Committer:
    """Takes what containers have changed in as layers."""

    def __init__(
        self,
        admission: Admission,
        catalog: Catalog,
        content: Content,
        snapshots: Snapshots,
        importer: Importer,
    ) -> None:
        self._admission = admission
        self._catalog = catalog
        self._content = content
        self._snapshots = snapshots
        self._importer = importer

    async def commit(self, order: Commit, reference: Reference | None) -> Image:
        """Makes the image. Raises LadingError, leaving nothing behind."""
        parent = self._catalog.get(order.parent)
        if parent is None:
            raise NotFound(f"No such image: {order.parent}")
        with self._admission.under_way():
            layers = self._below(parent)
            if order.write is not None:
                take = partial(self._take, order.write)
                layers.append(await tasks.held(take, lambda late: late.discard(self._snapshots)))
            document = _child(parent.document, order, [layer.diff_id for layer in layers])
            names = [reference] if reference else []
            return await self._importer.make(document, layers, names, parent.id)

    def _below(self, parent: Image) -> list[ArrivedLayer]:
        found = [self._snapshots.layer(chain_id) for chain_id in oci.chain_ids(parent.document.diff_ids)]
        return [ArrivedLayer(layer.blob_digest, layer.diff_id) for layer in found if layer is not None]

    def _take(self, write: Write) -> ArrivedLayer:
        intake = LayerIntake(self._content, self._snapshots)
        try:
            write(intake.feed)
        except OSError as error:
            intake.abort()
            raise InternalError(f"cannot read what was changed: {error.strerror}") from None
        except BaseException:
            intake.abort()
            raise
        return intake.finish()


def _child(parent: oci.Image, order: Commit, diff_ids: list[str]) -> oci.Image:
    created = rfc3339(now_ns())
    entry = oci.History(
        created=created,
        created_by=order.created_by,
        author=order.author,
        comment=order.comment,
        empty_layer=order.write is None,
    )
    return oci.Image(
        architecture=parent.architecture,
        os=parent.os,
        variant=parent.variant,
        os_version=parent.os_version,
        created=created,
        author=order.author,
        config=order.config,
        rootfs=oci.RootFS(diff_ids=diff_ids),
        history=[*(parent.history or ()), entry],
    )
