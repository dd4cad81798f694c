"""Accepting connections, and letting go of them in an orderly way."""

import asyncio
import contextlib
import os
import socket
import ssl

from lading.http.connection import Connection, Handler
from lading.http.listen import BACKLOG
from lading.http.tls import TlsSession


class Server:
    """Serves one handler on any number of listening sockets."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._live: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._paths: list[str] = []

    async def serve(
        self, listener: socket.socket, context: ssl.SSLContext | None = None, *, remove: bool = False
    ) -> None:
        """Starts accepting; with `context`, over TLS.

        With `remove`, the path of a UNIX socket goes when the server closes; that of an
        inherited one is not ours to remove.
        """
        loop = asyncio.get_running_loop()

        def plain() -> asyncio.Protocol:
            return Connection(self._handler, self._live)

        def secure() -> asyncio.Protocol:
            assert context is not None
            return TlsSession(context, plain)

        listener.setblocking(False)
        factory = plain if context is None else secure
        if listener.family == socket.AF_UNIX and remove:
            self._paths.append(os.fsdecode(listener.getsockname()))
        # Also for UNIX sockets: create_unix_server would remove the path by rules of its own.
        self._servers.append(await loop.create_server(factory, sock=listener, backlog=BACKLOG))

    async def close(self, grace: float) -> None:
        """Stops accepting, gives requests under way `grace` seconds, then cuts them off."""
        for path in self._paths:
            with contextlib.suppress(OSError):
                os.unlink(path)
        for server in self._servers:
            server.close()
        for connection in list(self._live):
            connection.shut()
        deadline = asyncio.get_running_loop().time() + grace
        while self._live and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self._live):
            connection.cut()
