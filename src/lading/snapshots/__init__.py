"""File trees: unpacked layers, and the writable layers of containers on top of them.

Here: unpacking layer archives confined to their directory, overlay mounts,
usage, removal. Not here: what layers make an image (images), blobs (content).
Calls `state`, and `oci`, `linux`, `aio`; owns the tables `layers` and
`writable_snapshots`.

A tree is made in a directory nobody refers to; its row makes it exist. A
directory without a row is garbage and goes at the next start. Removing means:
the row goes, the directory moves to `.trash`, and a thread empties that.
"""

from lading.linux.tally import Limits
from lading.linux.trees import remove_entry
from lading.snapshots.changes import Change, Kind
from lading.snapshots.contract import Layer, Snapshots, Staged, Usage
from lading.snapshots.overlay import OverlaySnapshots
from lading.snapshots.unpack import unpack

__all__ = [
    "Change",
    "Kind",
    "Layer",
    "Limits",
    "OverlaySnapshots",
    "Snapshots",
    "Staged",
    "Usage",
    "remove_entry",
    "unpack",
]
