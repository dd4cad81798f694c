"""The daemon's own resource limits, and what containers get of them."""

import resource

from lading.schema.container import Ulimit


def raise_open_files() -> Ulimit:
    """Lets this process open as many files as it may; gives back what it was started with.

    It holds some descriptors for each container, so the usual soft limit of
    1024 would end at a few hundred. Containers get the limit from before.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return Ulimit(name="nofile", soft=soft, hard=hard)
