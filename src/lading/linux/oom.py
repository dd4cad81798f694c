"""The kernel's OOM killer in a control group: how many it killed, and when it strikes.

A group is named as in `cgroups`. Source: kernel documentation, admin-guide/cgroup-v1/memory
("OOM Control") and admin-guide/cgroup-v2 ("memory.events").
"""

import os

from lading.linux import cgroups


def events_file(group: str, root: str = cgroups.ROOT) -> str:
    """The file that counts the victims. Version 2 reports its modification to inotify."""
    if cgroups.version(root) == 2:
        return f"{root}{group}/memory.events"
    return f"{root}/memory{group}/memory.oom_control"


def victims(group: str, root: str = cgroups.ROOT) -> int:
    """How many processes of `group` were killed; 0 where that cannot be known, or the group is gone."""
    try:
        with open(events_file(group, root), encoding="ascii") as file:
            words = file.read().split()
        return int(words[words.index("oom_kill") + 1])
    except (OSError, ValueError, IndexError):
        return 0


def eventfd(group: str, root: str = cgroups.ROOT) -> int:
    """A descriptor that becomes readable whenever a group of version 1 runs out of memory, and when it goes.

    The killing comes somewhat later. Raises OSError.
    """
    descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        control = os.open(events_file(group, root), os.O_RDONLY | os.O_CLOEXEC)
        try:
            with open(f"{root}/memory{group}/cgroup.event_control", "w", encoding="ascii") as file:
                file.write(f"{descriptor} {control}")
        finally:
            os.close(control)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
