"""One connection to an engine: opening it, and reading HTTP/1.1 from it.

RFC 9112 as far as a client of one server needs it: status line, headers,
bodies by length, by chunks or until the end of the connection.
"""

from __future__ import annotations

import _socket
import errno

from lading.client.errors import ConnectionFailed, ConnectionLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from lading.client.address import Address, TlsFiles

    class Transport(Protocol):
        """What is needed of a socket, whether TLS is on it or not."""

        def recv(self, size: int, /) -> bytes: ...
        def send(self, data: bytes, /) -> int: ...
        def sendall(self, data: bytes, /) -> None: ...
        def setblocking(self, flag: bool, /) -> None: ...
        def shutdown(self, how: int, /) -> None: ...
        def close(self) -> None: ...
        def fileno(self) -> int: ...


RECEIVE_SIZE = 65536
_LONGEST_HEAD = 1 << 20
_ABSENT = (errno.ENOENT, errno.ECONNREFUSED)


class Connection:
    """A socket with what was received from it but not yet used."""

    __slots__ = ("buffer", "transport")

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.buffer = b""

    def send(self, data: bytes) -> None:
        """Raises ConnectionLost."""
        try:
            self.transport.sendall(data)
        except OSError as error:
            raise lost(error) from None

    def receive(self) -> bytes:
        """What is there, at least one byte; b"" at the end. Raises ConnectionLost."""
        if self.buffer:
            data, self.buffer = self.buffer, b""
            return data
        try:
            return self.transport.recv(RECEIVE_SIZE)
        except OSError as error:
            raise lost(error) from None

    def line(self) -> bytes:
        """One line without its end. Raises ConnectionLost."""
        while b"\n" not in self.buffer:
            self._more()
        found, _, self.buffer = self.buffer.partition(b"\n")
        return found.rstrip(b"\r")

    def exactly(self, size: int) -> bytes:
        """Raises ConnectionLost."""
        pieces, missing = [], size
        while missing > 0:
            data = self.receive()
            if not data:
                raise ConnectionLost("the engine closed the connection in the middle of its answer")
            if len(data) > missing:
                data, self.buffer = data[:missing], data[missing:]
            pieces.append(data)
            missing -= len(data)
        return b"".join(pieces)

    def head(self) -> tuple[int, str, dict[str, str]]:
        """Status, reason and headers (names in small letters) of the next final answer.

        Raises ConnectionLost.
        """
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        raw, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")
        protocol, _, rest = lines[0].partition(" ")
        status, _, reason = rest.partition(" ")
        if not protocol.startswith("HTTP/1.") or not status.isdecimal():
            raise ConnectionLost("what answers there does not speak HTTP: is it an engine, and is TLS meant?")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if status == "100":
            return self.head()
        return int(status), reason, headers

    def _more(self) -> None:
        try:
            data = self.transport.recv(RECEIVE_SIZE)
        except OSError as error:
            raise lost(error) from None
        if not data or len(self.buffer) > _LONGEST_HEAD:
            raise ConnectionLost("the engine closed the connection before it answered")
        self.buffer += data

    def close(self) -> None:
        self.transport.close()


def open_connection(address: Address, tls: TlsFiles | None) -> Connection:
    """Raises ConnectionFailed, and ConnectionLost where the TLS handshake breaks."""
    if address.path:
        return Connection(_open_unix(address))
    plain = _open_tcp(address)
    if tls is None:
        return Connection(plain)
    from lading.client.tls import secure  # noqa: PLC0415 - ssl is slow to import

    return Connection(secure(plain, address, tls))


def _open_unix(address: Address) -> _socket.socket:
    plain = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        plain.connect(address.path)
    except OSError as error:
        plain.close()
        raise _failed(address, error) from None
    return plain


def _open_tcp(address: Address) -> _socket.socket:
    failure: OSError | None = None
    try:
        choices = _socket.getaddrinfo(address.host, address.port, 0, _socket.SOCK_STREAM)
    except OSError as error:
        raise _failed(address, error) from None
    for family, kind, protocol, _, where in choices:
        plain = _socket.socket(family, kind, protocol)
        try:
            plain.connect(where)
            plain.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    raise _failed(address, failure or OSError(errno.EHOSTUNREACH, "no address"))


def _failed(address: Address, error: OSError) -> ConnectionFailed:
    if error.errno == errno.EACCES:
        return ConnectionFailed(
            f"permission denied while trying to connect to the engine at {address.text}: "
            "become root, or a member of the group that owns the socket"
        )
    if error.errno in _ABSENT:
        return ConnectionFailed(
            f"Cannot connect to the Lading engine at {address.text}. Is ladingd running?", absent=True
        )
    return ConnectionFailed(
        f"Cannot connect to the Lading engine at {address.text}: {error.strerror or error}"
    )


def lost(error: OSError) -> ConnectionLost:
    """The error of the system in words for the user."""
    return ConnectionLost(f"the connection to the engine broke: {error.strerror or error}")
