"""The smallest HTTP/1.1 client that can drive an engine: one UNIX socket, kept alive.

Written for measuring: what it costs itself is a few dozen microseconds a call.
"""

import json
import socket
import time
from typing import Any


class Refused(Exception):
    """The engine answered with an error status."""


class Client:
    """One connection to an engine. Not to be shared between threads."""

    def __init__(self, path: str, timeout: float = 120) -> None:
        self._path = path
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._buffer = b""

    def close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def call(self, method: str, path: str, body: Any = None, credentials: str = "") -> bytes:
        """One request and its whole answer. Raises Refused, OSError."""
        raw, kind = _encode(body)
        head = f"{method} {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: {kind}\r\n"
        if credentials:
            head += f"X-Registry-Auth: {credentials}\r\n"
        self._send(f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
        status, fields = self._head()
        answer = b"" if method == "HEAD" or status in (204, 304) else self._body(fields)
        if fields.get("connection", "").lower() == "close":
            self.close()
        if status >= 400:
            raise Refused(f"{method} {path}: {status} {answer.decode(errors='replace').strip()}")
        return answer

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """As call, decoded."""
        return json.loads(self.call(method, path, body))

    def stream(self, path: str, body: Any) -> bytes:
        """A request that upgrades to a raw stream; everything until the stream ends."""
        raw, kind = _encode(body)
        head = f"POST {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: {kind}\r\n"
        head += f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(raw)}\r\n\r\n"
        self._send(head.encode() + raw)
        status, fields = self._head()
        if status != 101:
            raise Refused(f"POST {path}: {status} {self._body(fields).decode(errors='replace').strip()}")
        while self._fill():
            pass
        everything = self._buffer
        self.close()
        return everything

    def drain(self, path: str, seconds: float | None = None) -> int:
        """How many bytes a GET gives until its end, or for `seconds`. Raises Refused, OSError."""
        self.close()
        self._send(f"GET {path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n".encode())
        status, _ = self._head()
        if status >= 400:
            raise Refused(f"GET {path}: {status}")
        assert self._socket is not None
        taken, end = len(self._buffer), None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            piece = self._socket.recv(1 << 18)
            taken += len(piece)
            if not piece:
                break
        self.close()
        return taken

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(self._timeout)
            self._socket.connect(self._path)
        self._socket.sendall(data)

    def _fill(self) -> bool:
        assert self._socket is not None
        piece = self._socket.recv(1 << 16)
        self._buffer += piece
        return bool(piece)

    def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            if not self._fill():
                self.close()
                raise ConnectionError("the engine closed the connection")
        taken, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return taken

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._fill():
                self.close()
                raise ConnectionError("the engine closed the connection")
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _head(self) -> tuple[int, dict[str, str]]:
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:])
        return int(lines[0].split()[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding", "").lower() != "chunked":
            if "content-length" in fields or fields.get("connection", "").lower() != "close":
                return self._exactly(int(fields.get("content-length", "0")))
            while self._fill():
                pass
            return self._exactly(len(self._buffer))
        pieces = []
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            pieces.append(self._exactly(size))
            self._exactly(2)
        self._until(b"\r\n")
        return b"".join(pieces)


def _encode(body: Any) -> tuple[bytes, str]:
    if isinstance(body, bytes):
        return body, "application/x-tar"
    return (b"" if body is None else json.dumps(body).encode()), "application/json"
