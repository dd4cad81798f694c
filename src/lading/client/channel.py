"""A connection taken over from HTTP: bytes both ways, each way closed on its own."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.client.connection import Connection


class Channel:
    """The raw stream of an attach or an exec (Engine API 1.51, "Attach to a container").

    `multiplexed` tells whether the engine frames stdout and stderr; it follows
    from the answer's content type where the engine gives a telling one.
    """

    __slots__ = ("_connection", "content_type")

    def __init__(self, connection: Connection, content_type: str) -> None:
        self._connection = connection
        self.content_type = content_type

    def receive(self) -> bytes:
        """What is there, at least one byte; b"" at the end. Raises ConnectionLost."""
        return self._connection.receive()

    def send(self, data: bytes) -> None:
        """Raises ConnectionLost."""
        self._connection.send(data)

    def arrived(self) -> bool:
        """Whether data is already here, so that no event on the socket announces it."""
        pending = getattr(self._connection.transport, "pending", None)
        return bool(self._connection.buffer) or (pending is not None and pending())

    def close_write(self) -> None:
        """Says that nothing more will be sent; the other direction stays open."""
        try:
            self._connection.transport.shutdown(_socket.SHUT_WR)
        except OSError:
            pass

    def fileno(self) -> int:
        return self._connection.transport.fileno()

    def close(self) -> None:
        self._connection.close()
