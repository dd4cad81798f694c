"""A client that asks by TCP: queries and answers with their length before them (RFC 7766)."""

from __future__ import annotations

import socket
from collections.abc import Callable

from lading.dns.loop import READ, WRITE, Loop, Timer

PATIENCE = 10.0
"""Seconds a connection may be without a query."""
_READ = 65536
_MOST_WAITING = 1 << 18
"""Bytes of answers a client may leave unread."""


class Stream:
    """One connection. `asked(packet, reply)` is called for each query; replies may come in any order."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        asked: Callable[[bytes, Callable[[bytes], None]], None],
        gone: Callable[[Stream], None],
    ) -> None:
        self._loop = loop
        self._socket = connection
        self._asked = asked
        self._gone = gone
        self._received = b""
        self._waiting = b""
        self._under_way = 0
        self._ended = False
        self._closed = False
        self._events = READ
        self._active = False
        self._timer: Timer = loop.after(PATIENCE, self._tick)
        connection.setblocking(False)
        loop.watch(connection.fileno(), READ, self._ready)

    def close(self) -> None:
        """Ends it; may be repeated."""
        if self._closed:
            return
        self._closed = True
        self._timer.cancel()
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        self._gone(self)

    def _tick(self) -> None:
        if not self._active:
            self.close()
            return
        self._active = False
        self._timer = self._loop.after(PATIENCE, self._tick)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if not self._closed and events & ~WRITE and not self._ended:
            self._read()
        elif not self._closed and not events & (READ | WRITE):
            self.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if not data:
            self._ended = True
            self._settle()
            return
        self._active = True
        self._received += data
        while not self._closed and len(self._received) >= 2:
            end = 2 + int.from_bytes(self._received[:2], "big")
            if len(self._received) < end:
                break
            packet, self._received = self._received[2:end], self._received[end:]
            self._under_way += 1
            self._asked(packet, self._reply)

    def _reply(self, answer: bytes) -> None:
        """Sends an answer; an empty one says that there is none to come."""
        self._under_way -= 1
        if self._closed:
            return
        if answer:
            self._waiting += len(answer).to_bytes(2, "big") + answer
        if len(self._waiting) > _MOST_WAITING:
            self.close()
        else:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            try:
                sent = self._socket.send(self._waiting, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
            self._waiting = self._waiting[sent:]
        self._settle()

    def _settle(self) -> None:
        """Watches for what matters now, or ends what nothing more is to come of."""
        if self._ended and not self._waiting and not self._under_way:
            self.close()
            return
        events = (0 if self._ended else READ) | (WRITE if self._waiting else 0)
        if events != self._events:
            self._events = events
            self._loop.change(self._socket.fileno(), events)
