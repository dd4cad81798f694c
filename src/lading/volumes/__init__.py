"""What containers mount besides their own file system: volumes, host directories, memory.

Here: what the client's words for mounts mean, the volumes of the local driver
with their directories and users, filling fresh ones from the image, copies,
archives and snapshots of volumes, and the mounts as the OCI runtime wants them.
Not here: volume plugins, which will fill `contract.py`; a container's own file
system, which is the snapshots'. Calls content, state, events, aio, linux,
schema and the hall.
"""

from lading.volumes.listing import LIST_FILTERS, PRUNE_FILTERS
from lading.volumes.mount_point import IMAGE, VOLUME, MountPoint
from lading.volumes.volumes import Volumes

__all__ = ["IMAGE", "LIST_FILTERS", "PRUNE_FILTERS", "VOLUME", "MountPoint", "Volumes"]
