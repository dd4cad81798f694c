"""The keeper's door: it lets daemons in, and goes when nobody needs it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable

from lading.keeper.connection import Connection
from lading.keeper.keeper import Keeper
from lading.keeper.loop import READ, Loop
from lading.keeper.operations import Operations
from lading.keeper.parking import Parking
from lading.keeper.wire import Message


class Server:
    """Listens, and tells every daemon the news."""

    # Nothing is held and nobody is connected: how long to wait for the next daemon.
    _PATIENCE = 3.0

    def __init__(
        self, loop: Loop, listener: socket.socket, upgrade: Callable[[Connection, int], None]
    ) -> None:
        self._loop = loop
        self.listener = listener
        self.connections: list[Connection] = []
        self.keeper = Keeper(loop, self.announce)
        self.parking = Parking()
        self._operations = Operations(loop, self.keeper, self.parking, upgrade)
        listener.setblocking(False)
        loop.watch(listener.fileno(), READ, self._called)
        loop.after(self._PATIENCE, self._leave_if_idle)

    def announce(self, news: Message) -> None:
        """Tells every daemon."""
        for connection in tuple(self.connections):
            connection.send(news)

    def _called(self, _: int) -> None:
        try:
            connection, _address = self.listener.accept()
        except BlockingIOError:
            return
        # struct ucred: pid, uid, gid
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("iII", peer)[1] not in (0, os.geteuid()):
            connection.close()
            return
        self.greet(connection)

    def greet(self, connection: socket.socket) -> None:
        """Takes a connected daemon in."""
        self.connections.append(Connection(self._loop, connection, self._operations.handle, self._left))

    def _left(self, connection: Connection) -> None:
        self.connections.remove(connection)
        self._loop.after(self._PATIENCE, self._leave_if_idle)

    def _leave_if_idle(self) -> None:
        if not self.connections and self.keeper.idle:
            self._loop.stop()
