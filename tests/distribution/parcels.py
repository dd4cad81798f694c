"""Blobs and manifests to push and pull."""

import json
from collections.abc import Callable, Iterator

from lading.distribution import BlobReader, Repository
from lading.oci.image import CONFIG, LAYER_GZIP, MANIFEST, Descriptor, digest_of

BLOB = bytes(range(256)) * 4096
"""One MiB, no half of which is like the other."""
BLOB = bytes(byte ^ (place >> 12 & 0xFF) for place, byte in enumerate(BLOB))


def reading(data: bytes, piece: int = 65536) -> Callable[[int], Iterator[bytes]]:
    """What `upload` reads from."""

    def read(offset: int) -> Iterator[bytes]:
        for start in range(offset, len(data), piece):
            yield data[start : start + piece]

    return read


def give(repository: Repository, data: bytes) -> Descriptor:
    """Uploads a blob."""
    digest = digest_of(data)
    repository.upload(digest, len(data), reading(data), lambda _: None)
    return Descriptor(media_type=LAYER_GZIP, digest=digest, size=len(data))


def give_image(repository: Repository, tag: str, layer: bytes = BLOB) -> tuple[str, bytes]:
    """Uploads an image of one layer; its manifest's digest and bytes."""
    config, blob = give(repository, b"{}"), give(repository, layer)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": LAYER_GZIP, "digest": blob.digest, "size": blob.size}],
    }
    body = json.dumps(document).encode()
    return repository.put_manifest(tag, body, MANIFEST), body


def whole(reader: BlobReader) -> bytes:
    """All of a blob that is left."""
    pieces = []
    while piece := reader.read():
        pieces.append(piece)
    reader.close()
    return b"".join(pieces)
