"""A container's standard input: what clients send, never more than it reads."""

from __future__ import annotations

import os
from collections.abc import Callable

from lading.keeper.loop import BROKEN, WRITE, Loop


class Input:
    """The writing end of a pipe, or a pty's master."""

    def __init__(self, loop: Loop, file: int, ready: Callable[[], None], closed: Callable[[], None]) -> None:
        self._loop = loop
        self.file = file
        self._ready = ready
        self._closed = closed
        self._pending = b""
        self._ending = False
        os.set_blocking(file, False)

    @property
    def blocked(self) -> bool:
        """Whether the container has not yet read what it was sent."""
        return bool(self._pending)

    def state(self) -> tuple[str, bool]:
        """What is not yet written (hex), and whether to close after it."""
        return self._pending.hex(), self._ending

    def put(self, data: bytes) -> None:
        """Writes; what does not fit is written later, and `ready` called then."""
        if self.file < 0 or self._ending:
            return
        if self._pending:
            self._pending += data
            return
        self._pending = data
        self._flush()
        if self._pending:
            self._loop.watch(self.file, WRITE, self._writable)

    def _writable(self, events: int) -> None:
        self._flush()
        if not self._pending or events & BROKEN:
            self._loop.unwatch(self.file)
            if self._ending:
                self.close()
            self._ready()

    def _flush(self) -> None:
        try:
            while self._pending:
                self._pending = self._pending[os.write(self.file, self._pending) :]
        except BlockingIOError:
            pass
        except OSError:
            # Nobody reads any more; the client's side goes on as if it did, as it does with docker.
            self._pending = b""

    def end(self) -> None:
        """Closes once everything was written."""
        self._ending = True
        if not self._pending:
            self.close()

    def close(self) -> None:
        """Closes at once."""
        if self.file >= 0:
            self._loop.unwatch(self.file)
            os.close(self.file)
            self.file = -1
            self._pending = b""
            self._closed()
