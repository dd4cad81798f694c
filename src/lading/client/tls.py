"""TLS whose two directions can be closed one after the other.

`ssl.SSLSocket` cannot: `unwrap` waits for the peer's close and refuses data
that still comes. A container's output comes after its input has ended, so TLS
runs over memory buffers here and the socket stays ours.
"""

from __future__ import annotations

import ssl

from lading.client.errors import ConnectionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from lading.client.address import Address, TlsFiles

_READ_SIZE = 65536


class TlsTransport:
    """The `Transport` of a TLS connection."""

    def __init__(self, plain: _socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._ended = False
        self._unsent = b""
        self._drained = b""

    def handshake(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                self._flush()
                return

    def recv(self, size: int, /) -> bytes:
        if self._drained:
            data, self._drained = self._drained[:size], self._drained[size:]
            return data
        while True:
            arrived = self._read_arrived(size)
            if arrived is not None:
                return arrived
            if self._ended:
                return b""
            self._fill()

    def _read_arrived(self, size: int) -> bytes | None:
        """What has arrived already: b"" at the end, None where nothing has."""
        try:
            return self._tls.read(size)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, data: bytes, /) -> None:
        self._tls.write(data)
        self._flush()

    def send(self, data: bytes, /) -> int:
        """Takes all of `data` or nothing: a record is not taken back once it is encrypted."""
        self._flush()
        self._tls.write(data)
        self.flush()
        return len(data)

    def flush(self) -> bool:
        """Sends on what is encrypted; whether nothing of it is left."""
        try:
            self._flush()
        except BlockingIOError:
            return False
        return True

    def setblocking(self, flag: bool, /) -> None:
        self._plain.setblocking(flag)

    def shutdown(self, how: int, /) -> None:
        """Sends close_notify; waits until it is out, as nothing comes after it.

        OpenSSL then looks for the peer's close_notify and throws away whatever
        else it finds, so all that has arrived is read first.
        """
        while data := self._read_arrived(_READ_SIZE):
            self._drained += data
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass
        blocking = self._plain.gettimeout() is None
        self._plain.setblocking(True)
        self._flush()
        self._plain.setblocking(blocking)

    def pending(self) -> bool:
        return bool(self._drained) or self._tls.pending() > 0 or self._incoming.pending > 0

    def fileno(self) -> int:
        return self._plain.fileno()

    def close(self) -> None:
        self._plain.close()

    def _flush(self) -> None:
        """Sends what is encrypted. Raises BlockingIOError with the rest kept."""
        while self._unsent or self._outgoing.pending:
            if not self._unsent:
                self._unsent = self._outgoing.read()
            self._unsent = self._unsent[self._plain.send(self._unsent) :]

    def _fill(self) -> None:
        data = self._plain.recv(_READ_SIZE)
        if data:
            self._incoming.write(data)
        else:
            self._ended = True
            self._incoming.write_eof()


def secure(plain: _socket.socket, address: Address, files: TlsFiles) -> TlsTransport:
    """Puts TLS on a connected socket. Raises ConnectionFailed."""
    try:
        transport = TlsTransport(plain, _context(files), address.host)
        transport.handshake()
    except (ssl.SSLError, OSError) as error:
        plain.close()
        raise ConnectionFailed(
            f"Cannot connect to the Lading engine at {address.text}: TLS failed: {_reason(error)}"
        ) from None
    return transport


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif files.authority:
        context.load_verify_locations(files.authority)
    else:
        context.load_default_certs()
    if files.certificate:
        context.load_cert_chain(files.certificate, files.key or None)
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror or str(error)
