"""Connections to log servers: streams and datagrams; requests to an HTTP collector are in `requests`."""

import array
import asyncio
import errno
import fcntl
import importlib
import os
import socket
from collections.abc import Sequence
from typing import Protocol

from lading.logs.contract import Entry
from lading.logs.forward.dial import DialError, open_datagrams, open_stream
from lading.logs.servers import Encoder, Plan

_SECONDS = 30
_ACKNOWLEDGEMENT = 60
_AT_ONCE = 100
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_TOO_LONG = (errno.EMSGSIZE, errno.ENOBUFS)


class Link(Protocol):
    """A way to a log server.

    `certain` is whether what `send` has returned from is with the server. Else
    it may be lost if the connection breaks soon after.
    """

    certain: bool

    async def connect(self) -> None:
        """Raises DialError."""
        ...

    async def send(self, entries: Sequence[Entry]) -> None:
        """Raises DialError or OSError; then some of it may have arrived."""
        ...

    def sound(self) -> bool:
        """Whether the connection has not broken, as far as is known."""
        ...

    def close(self) -> None:
        """May be called again."""
        ...


def link_to(plan: Plan) -> Link:
    """The link a plan needs, not connected yet."""
    if plan.collector is not None:
        return _requests(plan)
    if plan.address.network in ("tcp", "tls", "unix"):
        return Stream(plan)
    return Datagrams(plan)


class Stream:
    """TCP, with TLS or without, or a UNIX stream."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._encoder: Encoder = plan.encoder
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.certain = False

    async def connect(self) -> None:
        self._reader, self._writer = await open_stream(self._plan.address, self._plan.tls)
        # So that `drain` returns when all has gone to the kernel.
        self._writer.transport.set_write_buffer_limits(high=0)

    async def send(self, entries: Sequence[Entry]) -> None:
        if self._writer is None or self._reader is None or not self.sound():
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        data = b"".join(self._encoder.encode(entries))
        if not data:
            return
        self._writer.write(data)
        await self._writer.drain()
        if answer := self._encoder.acknowledgement():
            self.certain = True
            await self._expect(self._reader, answer)

    async def _expect(self, reader: asyncio.StreamReader, answer: bytes) -> None:
        try:
            async with asyncio.timeout(_ACKNOWLEDGEMENT):
                given = await reader.readexactly(len(answer))
        except TimeoutError:
            raise DialError("the server does not acknowledge what it was sent") from None
        except asyncio.IncompleteReadError:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None
        if given != answer:
            raise DialError("the server acknowledges something else than it was sent")

    def sound(self) -> bool:
        reader, writer = self._reader, self._writer
        if reader is None or writer is None:
            return False
        return not writer.is_closing() and not reader.at_eof() and reader.exception() is None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None


class Datagrams:
    """UDP, UNIX datagrams, or the journal, which takes long ones as a file."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._socket: socket.socket | None = None
        # A host that is there says so when nobody listens, but after the fact.
        self.certain = plan.address.network != "udp"

    async def connect(self) -> None:
        self._socket = await open_datagrams(self._plan.address)

    async def send(self, entries: Sequence[Entry]) -> None:
        sender = self._socket
        if sender is None:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        for start in range(0, len(entries), _AT_ONCE):
            for datagram in self._plan.encoder.encode(entries[start : start + _AT_ONCE]):
                await self._send_one(sender, datagram)
            # To compress each entry by itself takes its time.
            await asyncio.sleep(0)

    async def _send_one(self, sender: socket.socket, datagram: bytes) -> None:
        try:
            sender.send(datagram)
        except BlockingIOError:
            await asyncio.get_running_loop().sock_sendall(sender, datagram)
        except OSError as error:
            if error.errno not in _TOO_LONG:
                raise
            self._send_long(sender, datagram)

    def _send_long(self, sender: socket.socket, datagram: bytes) -> None:
        """Source: systemd's Native Journal Protocol, a sealed memfd instead of the datagram.

        Elsewhere what does not fit into a datagram cannot be sent at all.
        """
        if self._plan.address.network != "unixgram":
            return
        file = os.memfd_create("lading-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.write(file, datagram)
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
            sender.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
        finally:
            os.close(file)

    def sound(self) -> bool:
        if self._socket is None:
            return False
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _requests(plan: Plan) -> Link:
    # Loaded for those only who have such a server: Python's HTTP client takes a megabyte of every daemon.
    link: Link = importlib.import_module("lading.logs.forward.requests").Requests(plan)
    return link
