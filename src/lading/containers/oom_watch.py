"""Hearing of the kernel's OOM killer while containers run."""

import asyncio
import logging
import os
from collections.abc import Callable

from lading.linux import cgroups, oom
from lading.linux.inotify import MODIFY, Inotify

_log = logging.getLogger(__name__)

_LOOK_AGAIN = (0.1, 1.0)
"""Seconds after the kernel of control groups version 1 has told of want of memory, not yet of a death."""


class OomWatch:
    """Calls back when a process of a group may have been killed; `oom.victims` tells whether it was.

    Costs one descriptor in all with control groups version 2, one for each group with version 1.
    """

    def __init__(self, root: str = cgroups.ROOT) -> None:
        self._root = root
        self._unified = cgroups.version(root) == 2
        self._inotify: Inotify | None = None
        self._called: dict[int, Callable[[], None]] = {}
        self._watches: dict[str, int] = {}

    def add(self, group: str, struck: Callable[[], None]) -> None:
        """Watches `group`; where that cannot be, its end still tells of a victim."""
        self.remove(group)
        try:
            watch = self._watch(group) if self._unified else self._ask(group, struck)
        except OSError as error:
            _log.debug("cannot watch for the OOM killer in %s: %s", group, error)
            return
        self._watches[group] = watch
        self._called[watch] = struck

    def remove(self, group: str) -> None:
        """Watches no more; it may never have been watched."""
        watch = self._watches.pop(group, None)
        if watch is None:
            return
        self._called.pop(watch, None)
        if self._inotify is not None:
            self._inotify.remove(watch)
        else:
            asyncio.get_running_loop().remove_reader(watch)
            os.close(watch)

    def _watch(self, group: str) -> int:
        if self._inotify is None:
            self._inotify = Inotify()
            asyncio.get_running_loop().add_reader(self._inotify.descriptor, self._modified, self._inotify)
        return self._inotify.add(oom.events_file(group, self._root), MODIFY)

    def _modified(self, inotify: Inotify) -> None:
        for watch in {event.watch for event in inotify.read()}:
            # Events were lost: anybody may be meant.
            meant = [self._called.get(watch)] if watch >= 0 else list(self._called.values())
            for struck in meant:
                if struck is not None:
                    struck()

    def _ask(self, group: str, struck: Callable[[], None]) -> int:
        descriptor = oom.eventfd(group, self._root)
        asyncio.get_running_loop().add_reader(descriptor, self._in_want, descriptor, struck)
        return descriptor

    def _in_want(self, descriptor: int, struck: Callable[[], None]) -> None:
        os.eventfd_read(descriptor)
        struck()
        for seconds in _LOOK_AGAIN:
            asyncio.get_running_loop().call_later(seconds, struck)
