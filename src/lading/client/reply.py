"""Answers of the engine: whole ones, and ones that arrive piece by piece."""

from __future__ import annotations

from lading.client.codec import loads
from lading.client.errors import ApiError, ConnectionLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lading.client.connection import Connection


class Reply:
    """A whole answer."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """Raises ConnectionLost where the body is not JSON."""
        try:
            return loads(self.body)
        except ValueError:
            raise ConnectionLost("the engine's answer is not JSON") from None


class Streaming:
    """An answer whose head has come and whose body is still coming."""

    __slots__ = ("_connection", "_mode", "_remaining", "headers", "reusable", "status")

    def __init__(self, connection: Connection, method: str, status: int, headers: dict[str, str]) -> None:
        self._connection = connection
        self.status = status
        self.headers = headers
        self.reusable = headers.get("connection", "").lower() != "close"
        self._remaining = 0
        if method == "HEAD" or status in (204, 304):
            self._mode = "done"
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._mode = "chunked"
        elif "content-length" in headers:
            self._mode = "length"
            self._remaining = int(headers["content-length"])
        else:
            self._mode, self.reusable = "end", False

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives. Raises ConnectionLost."""
        while self._mode != "done":
            piece = self._next()
            if piece:
                yield piece

    def _next(self) -> bytes:
        connection = self._connection
        if self._mode == "chunked" and self._remaining == 0:
            self._remaining = self._chunk_size()
            if self._remaining == 0:
                while connection.line():
                    pass
                self._mode = "done"
                return b""
        if self._mode == "length" and self._remaining == 0:
            self._mode = "done"
            return b""
        data = connection.receive()
        if not data:
            if self._mode != "end":
                raise ConnectionLost("the engine closed the connection in the middle of its answer")
            self._mode = "done"
            return b""
        if self._mode == "end":
            return data
        if len(data) > self._remaining:
            data, connection.buffer = data[: self._remaining], data[self._remaining :]
        self._remaining -= len(data)
        if self._mode == "chunked" and self._remaining == 0:
            connection.line()
        return data

    def _chunk_size(self) -> int:
        line = self._connection.line().partition(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError:
            raise ConnectionLost("the engine's answer is not framed as HTTP/1.1 says") from None

    def read(self) -> bytes:
        """The whole body. Raises ConnectionLost."""
        return b"".join(self.pieces())

    def lines(self) -> Iterator[bytes]:
        """The body line by line, without empty lines. Raises ConnectionLost."""
        rest = b""
        for piece in self.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line for line in whole if line.strip())
        if rest.strip():
            yield rest

    def objects(self) -> Iterator[Any]:
        """The JSON values of a body that has one per line. Raises ConnectionLost."""
        for line in self.lines():
            try:
                yield loads(line)
            except ValueError:
                raise ConnectionLost("the engine's answer is not JSON") from None

    def fileno(self) -> int:
        return self._connection.transport.fileno()

    def arrived(self) -> bool:
        """Whether part of the body is already here, so that no event on the socket announces it."""
        return bool(self._connection.buffer) or self._mode == "done"

    def close(self) -> None:
        self._connection.close()


def check(status: int, reason: str, body: bytes) -> None:
    """Raises ApiError for a status that means failure (Engine API 1.51, "Errors")."""
    if status < 400:
        return
    try:
        decoded = loads(body)
        message = decoded["message"] if isinstance(decoded, dict) else None
    except (ValueError, KeyError):
        message = None
    if not isinstance(message, str):
        message = body.decode("utf-8", "replace").strip() or f"{status} {reason}"
    raise ApiError(status, message)
