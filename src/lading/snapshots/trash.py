"""Where file trees wait for their removal."""

import logging
import os
import secrets

from lading.aio import tasks
from lading.linux.trees import remove_tree

_log = logging.getLogger(__name__)


class Trash:
    """A directory whose content is nobody's any more, emptied by a thread."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._background = tasks.Background()
        self._emptying = False
        self._again = False
        self._held: set[str] = set()

    def open(self) -> None:
        """Makes the directory and empties it. Raises OSError."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        self.empty_soon()

    def throw(self, path: str) -> None:
        """Moves a tree here and returns; nothing happens where there is none. Loop thread. Raises OSError."""
        try:
            os.rename(path, f"{self.directory}/{secrets.token_hex(8)}")
        except FileNotFoundError:
            return
        self.empty_soon()

    def remove(self, name: str | bytes, directory: int | None = None) -> None:
        """Moves a tree here and removes it before it returns. Any thread. Raises OSError.

        `name` is a path, or seen from the open `directory`.
        """
        held = secrets.token_hex(8)
        # Two threads in one tree take away what the other stands on.
        self._held.add(held)
        try:
            os.rename(name, f"{self.directory}/{held}", src_dir_fd=directory)
            remove_tree(f"{self.directory}/{held}")
        finally:
            self._held.discard(held)

    def empty_soon(self) -> None:
        """Has a thread empty the directory. Loop thread."""
        self._again = True
        if not self._emptying:
            self._emptying = True
            self._background.spawn(self._empty(), "empty the trash")

    async def _empty(self) -> None:
        try:
            while self._again:
                self._again = False
                await tasks.in_thread(self._empty_now)
        finally:
            self._emptying = False

    def _empty_now(self) -> None:
        for name in os.listdir(self.directory):
            if name in self._held:
                continue
            try:
                remove_tree(f"{self.directory}/{name}")
            except OSError as error:
                _log.warning("cannot remove %s/%s: %s", self.directory, name, error.strerror)

    async def close(self) -> None:
        """Waits until all is gone."""
        await self._background.drain()
