"""Finding images: by name, by ID, by the beginning of an ID; with what was read kept in memory.

Every container's creation looks its image up, so a name looked up before costs
one dictionary access until anything about images changes. Of all images
only the entries of lists are kept, whose labels alone are read from documents;
these never change, so each is read once.
"""

import logging

import msgspec

from lading.content import Content
from lading.errors import InvalidParameter, LadingError, NotFound
from lading.ids import may_be_id_prefix
from lading.images.record import Entry, Image, Record
from lading.images.reference import Reference, parse, parse_id
from lading.images.store import ImageStore
from lading.oci import image as oci

_log = logging.getLogger(__name__)

Labels = dict[str, str] | None


class _Config(msgspec.Struct):
    labels: Labels = msgspec.field(default=None, name="Labels")


class _Labelled(msgspec.Struct):
    """No more of a configuration document than lists show."""

    config: _Config | None = None


class Catalog:
    """The images that exist, as values."""

    def __init__(self, store: ImageStore, content: Content) -> None:
        self._store = store
        self._content = content
        self._images: dict[str, Image] = {}
        self._found: dict[str, Image] = {}
        self._references: dict[str, list[Reference]] | None = None
        self._entries: list[Entry] | None = None
        self._parents: frozenset[str] = frozenset()
        self._labels: dict[str, Labels] = {}

    def changed(self) -> None:
        """Forgets lookups: to be called after every change of images or references."""
        self._images.clear()
        self._found.clear()
        self._references = None
        self._entries = None

    def find(self, name: str) -> Image:
        """The image called `name`. Raises NotFound, InvalidParameter."""
        image = self._found.get(name)
        if image is None:
            image = self._found[name] = self._look_up(name)
        return image

    def _look_up(self, name: str) -> Image:
        whole = parse_id(name)
        if whole:
            return self._existing(whole, whole)
        prefix = name.removeprefix("sha256:")
        try:
            reference = parse(name)
        except InvalidParameter:
            if not (name.startswith("sha256:") and may_be_id_prefix(prefix)):
                raise
            reference = None
        target = self._store.target(reference.stored()) if reference is not None else ""
        if not target and may_be_id_prefix(prefix):
            matching = self._store.ids_beginning(f"sha256:{prefix}")
            # Of several nobody can say which was meant: docker too finds none then.
            target = matching[0] if len(matching) == 1 else ""
        return self._existing(target, reference.tagged().familiar if reference else name)

    def _existing(self, image_id: str, asked: str) -> Image:
        image = self.get(image_id) if image_id else None
        if image is None:
            raise NotFound(f"No such image: {asked}")
        return image

    def get(self, image_id: str) -> Image | None:
        """The image with exactly this ID, or None."""
        image = self._images.get(image_id)
        if image is not None:
            return image
        row = self._store.row(image_id)
        if row is None:
            return None
        document = oci.decode(oci.Image, self._content.read(image_id), "image configuration")
        image = Image(
            image_id,
            document,
            document.config or oci.ImageConfig(),
            row["chain_id"],
            row["size"],
            row["created_ns"],
            row["parent"],
            row["manifest_digest"],
            msgspec.json.decode(row["record"], type=Record),
        )
        self._images[image_id] = image
        return image

    def all(self) -> list[Image]:
        """Every image."""
        return [image for image_id in self._store.ids() if (image := self.get(image_id)) is not None]

    def entries(self) -> list[Entry]:
        """Every image as lists show it; also those whose documents can no longer be read."""
        if self._entries is None:
            rows = self._store.rows()
            self._labels = {row["id"]: self._labels_of(row["id"]) for row in rows}
            self._entries = [
                Entry(
                    row["id"],
                    row["chain_id"],
                    row["size"],
                    row["created_ns"],
                    row["parent"],
                    self._labels[row["id"]],
                )
                for row in rows
            ]
            self._parents = frozenset(entry.parent for entry in self._entries)
        return self._entries

    def _labels_of(self, image_id: str) -> Labels:
        if image_id in self._labels:
            return self._labels[image_id]
        try:
            data = self._content.read(image_id)
            config = msgspec.json.decode(data, type=_Labelled).config
        except msgspec.MsgspecError:
            # Rare enough to be read the slow way, which forgives what Go forgives.
            return self._slow_labels(image_id)
        except (LadingError, OSError) as error:
            _log.warning("the configuration of image %s cannot be read: %s", image_id, error)
            return None
        return config.labels if config is not None else None

    def _slow_labels(self, image_id: str) -> Labels:
        try:
            image = self.get(image_id)
        except LadingError as error:
            _log.warning("the configuration of image %s cannot be read: %s", image_id, error)
            return None
        return image.config.labels if image is not None else None

    def has_children(self, image_id: str) -> bool:
        """Whether images were made here from this one."""
        self.entries()
        return image_id in self._parents

    def references(self, image_id: str) -> list[Reference]:
        """What an image is called."""
        if self._references is None:
            return self._store.references_of(image_id)
        return self._references.get(image_id, [])

    def all_references(self) -> dict[str, list[Reference]]:
        """What images are called, by their ID."""
        if self._references is None:
            self._references = self._store.references()
        return self._references

    def children(self, image_id: str) -> list[str]:
        """The images made here from this one."""
        return self._store.children(image_id)
