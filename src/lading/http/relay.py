"""Copying between a TLS connection and a local socket, each half closed on its own."""

import asyncio
import socket
from typing import Any, cast


class _Half(asyncio.Protocol):
    """Passes what one transport receives to its peer."""

    def __init__(self) -> None:
        self.peer: _Half | None = None
        self.transport: asyncio.Transport | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def _other(self) -> asyncio.Transport | None:
        return self.peer.transport if self.peer is not None else None

    def data_received(self, data: bytes) -> None:
        other = self._other()
        if other is not None and not other.is_closing():
            other.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        other = self._other()
        if other is not None and not other.is_closing():
            other.write_eof()
        if self.peer is not None and self.peer._ended and self.transport is not None:
            self.transport.close()
        return True

    def pause_writing(self) -> None:
        other = self._other()
        if other is not None and not other.is_closing():
            other.pause_reading()

    def resume_writing(self) -> None:
        other = self._other()
        if other is not None and not other.is_closing():
            other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        other = self._other()
        if other is not None:
            other.close()
        self.peer = None


_running: set[asyncio.Task[Any]] = set()


def relay(client: asyncio.Transport, local: socket.socket) -> None:
    """Starts copying; both ends are closed when both directions have ended."""
    outer, inner = _Half(), _Half()
    outer.peer, inner.peer = inner, outer
    outer.transport = client
    client.set_protocol(outer)
    client.set_write_buffer_limits()
    task = asyncio.get_running_loop().create_task(_start(outer, inner, local), name="relay")
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _start(outer: _Half, inner: _Half, local: socket.socket) -> None:
    local.setblocking(False)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: inner, local)
    if outer.transport is None:
        transport.close()
    else:
        outer.transport.resume_reading()
