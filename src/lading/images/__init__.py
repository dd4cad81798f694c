"""Images: names, configuration, layers in their order.

Here: pull, push, load, save, import, list, inspect, history, tag, remove,
prune, check and repair, finding an image for a container, the starter image.
Not here: the bytes of blobs (content), the file trees (snapshots), the protocol
of registries (distribution), containers: whoever removes an image says which
containers use it. Calls `content`, `snapshots`, `distribution`, `state`; owns
the tables `images` and `image_refs`.
"""

from lading.images.changes import apply as apply_changes
from lading.images.committing import Commit
from lading.images.context import Context, make_context
from lading.images.images import Images
from lading.images.listing import LIST_FILTERS, PRUNE_FILTERS
from lading.images.record import Image
from lading.images.reference import Reference, parse
from lading.images.remote_manifests import PutManifest
from lading.images.removal import ImageUser
from lading.images.searching import SEARCH_FILTERS
from lading.images.starter import STARTER
from lading.images.transfers import ImageTransfers

__all__ = [
    "LIST_FILTERS",
    "PRUNE_FILTERS",
    "SEARCH_FILTERS",
    "STARTER",
    "Commit",
    "Context",
    "Image",
    "ImageTransfers",
    "ImageUser",
    "Images",
    "PutManifest",
    "Reference",
    "apply_changes",
    "make_context",
    "parse",
]
