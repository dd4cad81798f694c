"""Images: names, configuration, layers in their order.

Here: load, import, list, inspect, history, tag, remove, finding an image for a
container, the starter image. Not here: the bytes of blobs (content), the file
trees (snapshots), containers: whoever removes an image says which containers
use it. Calls `content`, `snapshots`, `state`; owns the tables `images` and
`image_refs`.
"""

from lading.images.changes import apply as apply_changes
from lading.images.committing import Commit
from lading.images.images import Images
from lading.images.listing import LIST_FILTERS
from lading.images.record import Image
from lading.images.reference import Reference, parse
from lading.images.removal import ImageUser
from lading.images.starter import STARTER

__all__ = [
    "LIST_FILTERS",
    "STARTER",
    "Commit",
    "Image",
    "ImageUser",
    "Images",
    "Reference",
    "apply_changes",
    "parse",
]
