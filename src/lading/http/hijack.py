"""A connection taken out of HTTP."""

import asyncio
import os
import socket
from typing import cast

from lading.http.relay import relay


class Hijacked:
    """What is left of a connection once its request has been answered in full."""

    def __init__(self, transport: asyncio.Transport, early: bytes) -> None:
        self._transport = transport
        self._early = early

    def take_socket(self) -> tuple[socket.socket, bytes]:
        """A socket the caller owns, and what the client sent after its request.

        Over plain UNIX and TCP it is the client's own connection, fit to be
        passed to another process. Over TLS it is one end of a pair whose other
        end this room relays, half-closes included.
        """
        own = self._transport.get_extra_info("socket")
        if own is None:
            ours, theirs = socket.socketpair()
            relay(self._transport, ours)
            return theirs, self._early
        duplicate = socket.socket(fileno=os.dup(cast("socket.socket", own).fileno()))
        duplicate.setblocking(False)
        # abort() closes our descriptor without shutdown(2), so the connection lives on in the duplicate.
        self._transport.abort()
        return duplicate, self._early
