"""Copying between a WebSocket connection and a local socket: messages outside, plain bytes inside."""

import asyncio
import socket
from typing import Any, cast

from lading.http.websocket import (
    CLOSE,
    NORMAL,
    PING,
    PONG,
    PROTOCOL_ERROR,
    Decoder,
    FrameError,
    closing,
    frame,
)

_PATIENCE = 2.0
"""Seconds a client gets to answer that we close."""

_running: set[asyncio.Task[Any]] = set()


class Outer(asyncio.Protocol):
    """The client's side; each piece from inside becomes one message of `kind`."""

    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._inner: _Inner | None = None
        self._early: list[bytes] = []
        self._closed = False

    def relay(self, local: socket.socket) -> None:
        """Starts copying. Both ends are closed when either is."""
        local.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._start(local), name="relay frames")
        _running.add(task)
        task.add_done_callback(_running.discard)

    async def _start(self, local: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        _, self._inner = await loop.connect_accepted_socket(lambda: _Inner(self), local)
        if self._transport is None:
            self._inner.close()
            return
        for data in self._early:
            self._inner.write(data)
        self._early.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            arrived = self._decoder.feed(data)
        except FrameError:
            self.end(PROTOCOL_ERROR)
            self._hang_up()
            return
        for kind, piece in arrived:
            if kind == PING:
                self._write(frame(PONG, piece))
            elif kind == CLOSE:
                self.end(int.from_bytes(piece[:2], "big") or NORMAL)
                self._hang_up()
                return
            elif kind != PONG and not self._closed:
                if self._inner is None:
                    self._early.append(piece)
                else:
                    self._inner.write(piece)

    def message(self, data: bytes) -> None:
        """Something from inside."""
        if not self._closed:
            self._write(frame(self._kind, data))

    def end(self, code: int = NORMAL) -> None:
        """Says that there is no more; the client has a moment to say so too."""
        if not self._closed:
            self._closed = True
            self._write(closing(code))
            asyncio.get_running_loop().call_later(_PATIENCE, self._hang_up)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def hold(self, *, full: bool) -> None:
        """Inside does not take any more for now, or does again."""
        if self._transport is None or self._transport.is_closing():
            return
        if full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.hold(full=True)

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.hold(full=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._inner is not None:
            self._inner.close()


class _Inner(asyncio.Protocol):
    """The local side."""

    def __init__(self, outer: Outer) -> None:
        self._outer = outer
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._outer.message(data)

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def hold(self, *, full: bool) -> None:
        if self._transport.is_closing():
            return
        if full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._outer.hold(full=True)

    def resume_writing(self) -> None:
        self._outer.hold(full=False)

    def close(self) -> None:
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._outer.end()
