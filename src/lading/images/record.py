"""What is known of one image."""

from dataclasses import dataclass

from msgspec import Struct

from lading.oci import image as oci


class Record(Struct, frozen=True):
    """What the database keeps beside the columns: every blob the image needs, and when it was last tagged.

    `compressed` has the gzip form of layers that came plain, by digest, once they were pushed.
    """

    blobs: tuple[str, ...] = ()
    last_tagged_ns: int = 0
    compressed: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """What lists show of an image: little enough to keep for every image.

    `labels` are None where its configuration has none. See `Image` for the rest.
    """

    id: str
    chain_id: str | None
    size: int
    created_ns: int
    parent: str
    labels: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Image:
    """An image that exists.

    `id` is the digest of its configuration document, `chain_id` its topmost
    layer with all below (None for an image without layers), `size` the bytes of
    the files of all its layers, `parent` the image it was made from here.
    """

    id: str
    document: oci.Image
    config: oci.ImageConfig
    chain_id: str | None
    size: int
    created_ns: int
    parent: str
    manifest_digest: str
    record: Record

    @property
    def labels(self) -> dict[str, str]:
        return self.config.labels or {}
