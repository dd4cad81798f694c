"""A connection taken over from HTTP: bytes both ways, each way closed on its own."""

from __future__ import annotations

import _socket

from lading.client.connection import RECEIVE_SIZE, lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.client.connection import Connection


class Channel:
    """The raw stream of an attach or an exec (Engine API 1.51, "Attach to a container").

    Nothing here waits: whoever has it waits for events on `fileno`.
    """

    __slots__ = ("_connection", "content_type")

    def __init__(self, connection: Connection, content_type: str) -> None:
        self._connection = connection
        self.content_type = content_type
        connection.transport.setblocking(False)

    def receive_now(self) -> bytes | None:
        """What is there; b"" at the end, None where nothing has come yet. Raises ConnectionLost."""
        connection = self._connection
        if connection.buffer:
            return connection.receive()
        try:
            return connection.transport.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return None
        except OSError as error:
            raise lost(error) from None

    def send_now(self, data: bytes) -> int:
        """How many bytes of `data` could be sent without waiting. Raises ConnectionLost."""
        try:
            return self._connection.transport.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise lost(error) from None

    def flush_now(self) -> bool:
        """Whether all that was accepted for sending is on its way. Raises ConnectionLost."""
        flush = getattr(self._connection.transport, "flush", None)
        try:
            return flush is None or flush()
        except OSError as error:
            raise lost(error) from None

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
