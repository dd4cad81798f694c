"""Blobs by digest, byte for byte as they came.

Here: writing with verification, reading, removing, and undoing the compression
of streams. Not here: what a blob means (images), file trees (snapshots).
Calls `state`; owns the table `blobs`.

A blob exists from the moment its row does. It is written under a random name
in `ingest/`, renamed to its digest, and then recorded in the same transaction
as whatever needs it; a file without a row is garbage and goes at the next
start. A blob is not synced to the disk by itself: whoever makes an image of
blobs decides when that counts as safe (see `images/admit.py`).
"""

from lading.content.compression import MAGIC_LENGTH, Compression, detect, inflate
from lading.content.ingest import Ingest
from lading.content.store import Content

__all__ = ["MAGIC_LENGTH", "Compression", "Content", "Ingest", "detect", "inflate"]
