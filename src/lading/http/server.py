"""Accepting connections, and letting go of them in an orderly way."""

import asyncio
import socket
import ssl

from lading.http.connection import Connection, Handler
from lading.http.tls import TlsSession


class Server:
    """Serves one handler on any number of listening sockets."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._live: set[Connection] = set()
        self._servers: list[asyncio.Server] = []

    async def serve(self, listener: socket.socket, context: ssl.SSLContext | None = None) -> None:
        """Starts accepting; with `context`, over TLS."""
        loop = asyncio.get_running_loop()

        def plain() -> asyncio.Protocol:
            return Connection(self._handler, self._live)

        def secure() -> asyncio.Protocol:
            assert context is not None
            return TlsSession(context, plain)

        listener.setblocking(False)
        factory = plain if context is None else secure
        if listener.family == socket.AF_UNIX:
            server = await loop.create_unix_server(factory, sock=listener)
        else:
            server = await loop.create_server(factory, sock=listener)
        self._servers.append(server)

    async def close(self, grace: float) -> None:
        """Stops accepting, gives requests under way `grace` seconds, then cuts them off."""
        for server in self._servers:
            server.close()
        for connection in list(self._live):
            connection.shut()
        deadline = asyncio.get_running_loop().time() + grace
        while self._live and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self._live):
            connection.cut()
