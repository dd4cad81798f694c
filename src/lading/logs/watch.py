"""Learning that a log has grown or was set aside: one inotify instance for all who follow."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lading.linux import inotify

_log = logging.getLogger(__name__)

_MASK = inotify.MODIFY | inotify.CREATE | inotify.MOVED_TO | inotify.ONLYDIR
_POLL = 0.2


class Changes:
    """What has happened to one file since it was last looked at."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rotations = 0
        """How often a new file took its place, as far as is known."""
        self.watched = False
        self._news = asyncio.Event()

    def happened(self, mask: int) -> None:
        """Called by the watcher."""
        if mask & (inotify.CREATE | inotify.MOVED_TO):
            self.rotations += 1
        self._news.set()

    def wake(self) -> None:
        """Ends a `wait`, present or next."""
        self._news.set()

    def clear(self) -> None:
        """From here on `wait` waits for something new."""
        self._news.clear()

    async def wait(self, seconds: float | None) -> None:
        """Until something happens, at most so long; not for ever where the file cannot be watched."""
        if not self.watched:
            seconds = _POLL if seconds is None else min(seconds, _POLL)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()


class Watcher:
    """Watches directories for as long as someone follows a file in them."""

    def __init__(self) -> None:
        self._inotify: inotify.Inotify | None = None
        self._followers: dict[int, list[Changes]] = {}

    @contextmanager
    def watch(self, path: str) -> Iterator[Changes]:
        """The changes of the file `path`, which need not exist yet."""
        directory, name = os.path.split(path)
        changes = Changes(name)
        watch = self._begin(directory, changes)
        try:
            yield changes
        finally:
            self._end(watch, changes)

    def _begin(self, directory: str, changes: Changes) -> int:
        try:
            if self._inotify is None:
                self._inotify = inotify.Inotify()
                asyncio.get_running_loop().add_reader(self._inotify.descriptor, self.collect)
            watch = self._inotify.add(directory, _MASK)
        except OSError as error:
            _log.warning("cannot watch %s, looking at it now and then instead: %s", directory, error.strerror)
            self._close_if_idle()
            return -1
        self._followers.setdefault(watch, []).append(changes)
        changes.watched = True
        return watch

    def _end(self, watch: int, changes: Changes) -> None:
        followers = self._followers.get(watch, [])
        if changes in followers:
            followers.remove(changes)
            if not followers:
                del self._followers[watch]
                if self._inotify is not None:
                    self._inotify.remove(watch)
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._inotify is not None and not self._followers:
            asyncio.get_running_loop().remove_reader(self._inotify.descriptor)
            self._inotify.close()
            self._inotify = None

    def collect(self) -> None:
        """Hands out what has happened up to now."""
        while self._inotify is not None and (events := self._inotify.read()):
            self._hand_out(events)

    def _hand_out(self, events: list[inotify.Event]) -> None:
        for event in events:
            if event.watch == -1:
                for changes in [each for followers in self._followers.values() for each in followers]:
                    changes.wake()
            elif event.mask & inotify.IGNORED:
                for changes in self._followers.pop(event.watch, []):
                    changes.watched = False
                    changes.wake()
            else:
                for changes in self._followers.get(event.watch, []):
                    if changes.name == event.name:
                        changes.happened(event.mask)
