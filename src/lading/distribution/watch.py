"""Connections whose waits can be ended from another thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_here = threading.local()


class Watch:
    """Knows which socket each thread waits at. Any thread."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._lock = threading.Lock()
        self._aborted = False

    @contextmanager
    def over(self) -> Iterator[None]:
        """Watches what this thread does with `POOLS` in the meantime."""
        _here.watch = self
        try:
            yield
        finally:
            _here.watch = None
            with self._lock:
                self._sockets.pop(threading.get_ident(), None)

    def note(self, connection: socket.socket) -> None:
        """This thread is about to wait there."""
        with self._lock:
            self._sockets[threading.get_ident()] = connection
            if self._aborted:
                cut(connection)

    def abort(self) -> None:
        """Wakes all, now and later."""
        with self._lock:
            self._aborted = True
            for connection in self._sockets.values():
                cut(connection)


def cut(connection: socket.socket) -> None:
    """Ends a connection in both directions, so that whoever waits there gets to know."""
    try:
        # Past TLS: the thread that waits must not find its session gone.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except (OSError, TypeError):
        pass


def _note(connection: Any) -> None:
    watch = getattr(_here, "watch", None)
    if watch is not None and connection is not None:
        watch.note(connection)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _note(self.sock)

    def putrequest(self, *words: Any, **flags: Any) -> None:
        _note(self.sock)
        super().putrequest(*words, **flags)


class _Encrypted(_Plain, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


POOLS = {"http": _PlainPool, "https": _EncryptedPool}
"""What a pool manager makes its pools of."""
