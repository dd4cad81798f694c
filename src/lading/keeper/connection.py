"""A daemon's connection to the keeper."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Mapping

from lading.keeper import wire
from lading.keeper.loop import BROKEN, READ, WRITE, Loop
from lading.keeper.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Heard: TypeAlias = Callable[["Connection", Message, list[int]], None]


class Connection:
    """One daemon. It may be slow or stopped: what it cannot take waits here."""

    def __init__(
        self, loop: Loop, connection: socket.socket, heard: Heard, left: Callable[[Connection], None]
    ) -> None:
        self._loop = loop
        self.socket = connection
        self._heard = heard
        self._left = left
        self._queue: deque[tuple[bytes, list[int]]] = deque()
        connection.setblocking(False)
        loop.watch(connection.fileno(), READ, self._ready)

    def send(self, message: Message, descriptors: Mapping[str, int] | None = None) -> None:
        """Sends now or as soon as the peer reads."""
        if self.socket.fileno() < 0:
            return
        names = descriptors or {}
        self._queue.append(wire.encode({**message, "fds": list(names)} if names else message, names.values()))
        self._flush()

    @property
    def busy(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._queue)

    def _flush(self) -> None:
        try:
            while self._queue:
                packet, copies = self._queue[0]
                wire.transmit(self.socket, packet, copies)
                self._queue.popleft()
                for copy in copies:
                    os.close(copy)
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        self._loop.change(self.socket.fileno(), READ | (WRITE if self._queue else 0))

    def _ready(self, events: int) -> None:
        if events & WRITE and self._queue:
            self._flush()
        if events & (READ | BROKEN):
            self._receive()

    def _receive(self) -> None:
        try:
            found = wire.receive(self.socket)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            found = None
        if found is None:
            self.close()
            return
        message, descriptors = found
        self._heard(self, message, descriptors)

    def close(self) -> None:
        """Ends the connection."""
        if self.socket.fileno() < 0:
            return
        self._loop.unwatch(self.socket.fileno())
        self.socket.close()
        for _packet, copies in self._queue:
            for copy in copies:
                os.close(copy)
        self._queue.clear()
        self._left(self)
