"""Asking a container's own servers what is not ours to answer.

Each query goes out from a socket of its own, whose port the kernel chooses at
random, under a random number: who wants to forge an answer has to guess both
(RFC 5452). Servers the host's file names are asked from the host's namespace,
where they may be on its loopback; others from the container's.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable

from lading.dns import message
from lading.dns.loop import READ, WRITE, Loop, Timer
from lading.dns.namespace import Namespace

PATIENCE = 2.0
"""Seconds for one server; clients wait 5 s and then ask again."""
MOST_SERVERS = 3
_PORT = 53


class Server:
    """One to be asked: its address, and whether from the host's namespace."""

    __slots__ = ("address", "from_host", "port")

    def __init__(self, address: str, from_host: bool, port: int = _PORT) -> None:
        self.address = address
        self.from_host = from_host
        self.port = port


class Forward:
    """One query on its way, until `done` is called with the answer's bytes, or None where there is none."""

    def __init__(
        self,
        loop: Loop,
        namespace: Namespace,
        servers: list[Server],
        packet: bytes,
        query: message.Query,
        done: Callable[[bytes | None], None],
        *,
        stream: bool,
    ) -> None:
        self._loop = loop
        self._namespace = namespace
        self._servers = servers[:MOST_SERVERS]
        self._packet = packet
        self._query = query
        self._done: Callable[[bytes | None], None] | None = done
        self._stream = stream
        self._socket: socket.socket | None = None
        self._timer: Timer | None = None
        self._number = 0
        self._received = b""

    def start(self) -> None:
        """Asks the first server."""
        self._next()

    def abandon(self) -> None:
        """Nobody wants to know any more."""
        self._done = None
        self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _next(self) -> None:
        self._close()
        while self._servers:
            server = self._servers.pop(0)
            self._number = int.from_bytes(os.urandom(2), "big")
            self._received = b""
            try:
                self._ask(server)
            except OSError:
                self._close()
                continue
            self._timer = self._loop.after(PATIENCE, self._next)
            return
        self._finish(None)

    def _finish(self, answer: bytes | None) -> None:
        self._close()
        done, self._done = self._done, None
        if done is not None:
            done(answer)

    def _ask(self, server: Server) -> None:
        family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
        kind = (socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM) | socket.SOCK_NONBLOCK

        def connect() -> socket.socket:
            made = socket.socket(family, kind)
            try:
                made.connect((server.address, server.port))
            except BlockingIOError:
                pass
            except BaseException:
                made.close()
                raise
            return made

        self._socket = connect() if server.from_host else self._namespace.inside(connect)
        if self._stream:
            self._loop.watch(self._socket.fileno(), WRITE, self._connected)
            return
        self._socket.send(self._asked())
        self._loop.watch(self._socket.fileno(), READ, self._datagram)

    def _asked(self) -> bytes:
        return struct.pack("!H", self._number) + self._packet[2:]

    def _datagram(self, _: int) -> None:
        assert self._socket is not None
        try:
            response = self._socket.recv(message.LARGEST)
        except BlockingIOError:
            return
        except OSError:
            # Nobody there, says its machine.
            self._next()
            return
        # What does not belong to the query may be a forgery; the right answer may still come.
        if message.belongs(response, self._query, self._number):
            self._judge(response)

    def _judge(self, response: bytes) -> None:
        if message.code_of(response) in (message.SERVFAIL, message.REFUSED):
            self._next()
        else:
            self._finish(struct.pack("!H", self._query.number) + response[2:])

    def _connected(self, _: int) -> None:
        assert self._socket is not None
        asked = self._asked()
        framed = struct.pack("!H", len(asked)) + asked
        try:
            # So little always fits into a new connection's buffer.
            if self._socket.send(framed, socket.MSG_NOSIGNAL) < len(framed):
                raise OSError("short write")
        except OSError:
            self._next()
            return
        self._loop.unwatch(self._socket.fileno())
        self._loop.watch(self._socket.fileno(), READ, self._arrived)

    def _arrived(self, _: int) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(message.LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._next()
            return
        self._received += data
        if len(self._received) >= 2:
            end = 2 + int.from_bytes(self._received[:2], "big")
            if len(self._received) >= end:
                response = self._received[2:end]
                if message.belongs(response, self._query, self._number):
                    self._judge(response)
                else:
                    self._next()
