"""Blobs by digest, byte for byte as they came.

Here: writing with verification, reading, removing, undoing the compression
of streams, compressing blobs. Not here: what a blob means (images), file trees (snapshots).
Calls `state`; owns the table `blobs`.

A blob exists from the moment its row does. It is written under a random name
in `ingest/`, renamed to its digest, and then recorded in the same transaction
as whatever needs it; a file without a row is garbage and goes at the next
start. Only a blob from a registry is written to `ingest/parts/` under its
digest, so that a later transfer goes on where this one broke off; what nobody
comes for goes after a day. A blob is not synced to the disk by itself: whoever
makes an image of blobs decides when that counts as safe (see `images/admit.py`).
"""

from lading.content.compression import MAGIC_LENGTH, Compression, detect, inflate
from lading.content.deflate import deflate
from lading.content.examine import examine
from lading.content.ingest import DigestMismatch, Ingest
from lading.content.partial import Partial
from lading.content.store import Content

__all__ = [
    "MAGIC_LENGTH",
    "Compression",
    "Content",
    "DigestMismatch",
    "Ingest",
    "Partial",
    "deflate",
    "detect",
    "examine",
    "inflate",
]
