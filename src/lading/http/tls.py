"""TLS as a transport whose two directions close one by one, as TCP's do.

asyncio's own TLS shuts both directions as soon as the peer has closed its
own, and drops what was still to be sent: `docker run -i x cat` over TLS would
print nothing. Here close_notify from the peer is only an end of input
(RFC 8446, section 6.1), and output goes on until we close it.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, cast

_log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT = 20.0
"""Seconds a client has to prove itself."""

_RECORD = 16 * 1024
_PLAIN_HTTP = (
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"Client sent an HTTP request to an HTTPS server.\n"
)


class TlsTransport(asyncio.Transport):
    """What the protocol above TLS writes to."""

    def __init__(self, session: "TlsSession") -> None:
        super().__init__()
        self._session = session

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As asyncio's, but never the socket: nobody may write to it past TLS."""
        if name == "common_name":
            return self._session.common_name()
        return default if name == "socket" else self._session.tcp.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._session.protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._session.protocol

    def is_closing(self) -> bool:
        return self._session.tcp.is_closing()

    def pause_reading(self) -> None:
        self._session.pause()

    def resume_reading(self) -> None:
        self._session.resume()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._session.tcp.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._session.tcp.get_write_buffer_size()

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        self._session.send(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._session.close_output()

    def close(self) -> None:
        self._session.close_output()
        self._session.tcp.close()

    def abort(self) -> None:
        self._session.tcp.abort()


class TlsSession(asyncio.Protocol):
    """What sits on the TCP transport: handshake, decryption, encryption."""

    tcp: asyncio.Transport

    def __init__(self, context: ssl.SSLContext, factory: Callable[[], asyncio.Protocol]) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.protocol = factory()
        self._established = False
        self._paused = False
        self._input_ended = False
        self._output_closed = False
        self._held: deque[bytes] = deque()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.tcp = cast("asyncio.Transport", transport)
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_TIMEOUT, self.tcp.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._established:
            self.protocol.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if self._established or self._shake_hands():
            self._deliver()

    def eof_received(self) -> bool:
        # TCP ended without close_notify: the peer is gone, or cut off by somebody else.
        if self._established and not self._input_ended:
            self._input_ended = True
            return bool(self.protocol.eof_received())
        return self._established

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            _log.info("TLS handshake with %s failed: %s", self.tcp.get_extra_info("peername"), error.reason)
            self._flush()
            if error.reason == "HTTP_REQUEST":
                self.tcp.write(_PLAIN_HTTP)
            self.tcp.close()
            return False
        self._flush()
        self._established = True
        if self._deadline is not None:
            self._deadline.cancel()
        self.protocol.connection_made(TlsTransport(self))
        return True

    def _deliver(self) -> None:
        while not self._paused and not self._input_ended and not self.tcp.is_closing():
            data = self._held.popleft() if self._held else self._decrypt()
            if data is None:
                break
            if data:
                self.protocol.data_received(data)
                continue
            self._input_ended = True
            if not self.protocol.eof_received():
                self.close_output()
                self.tcp.close()
        self._flush()

    def _decrypt(self) -> bytes | None:
        """The next record's content, empty at the peer's close_notify; None where there is none yet."""
        try:
            return self._tls.read(_RECORD)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            _log.info("TLS with %s broke: %s", self.tcp.get_extra_info("peername"), error.reason)
            self.tcp.abort()
            return None

    def common_name(self) -> str:
        """From the client's certificate, empty where it showed none."""
        certificate = self._tls.getpeercert() or {}
        subject = cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("subject", ()))
        names = [value for group in subject for name, value in group if name == "commonName"]
        return names[0] if names else ""

    def pause(self) -> None:
        self._paused = True
        self.tcp.pause_reading()

    def resume(self) -> None:
        """Records already decrypted by OpenSSL come first; no event would announce them."""
        self._paused = False
        if not self.tcp.is_closing():
            self.tcp.resume_reading()
            asyncio.get_running_loop().call_soon(self._deliver)

    def send(self, data: bytes) -> None:
        if self._output_closed or not data:
            return
        self._tls.write(data)
        self._flush()

    def close_output(self) -> None:
        """Sends close_notify once."""
        if self._output_closed or not self._established:
            return
        self._output_closed = True
        # unwrap() also looks for the peer's close_notify, and fails for good at any other record.
        while not self._input_ended and (data := self._decrypt()) is not None:
            self._held.append(data)
            if not data:
                break
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending and not self.tcp.is_closing():
            self.tcp.write(self._outgoing.read())
