"""A connection taken out of HTTP."""

import asyncio
import os
import socket
from typing import cast

from lading.http.framing import Outer
from lading.http.relay import relay
from lading.http.websocket import BINARY, TEXT


class Hijacked:
    """What is left of a connection once its request has been answered in full.

    Exactly one of its methods is called, once; it says who owns the connection from then on.
    """

    def __init__(self, transport: asyncio.Transport, early: bytes) -> None:
        self._transport = transport
        self._early = early

    def take_socket(self) -> tuple[socket.socket, bytes]:
        """A socket the caller owns, which never blocks, and what the client sent after its request.

        Over plain UNIX and TCP it is the client's own connection, fit to be
        passed to another process. Over TLS it is one end of a pair whose other
        end this room relays, half-closes included.
        """
        own = self._transport.get_extra_info("socket")
        if own is None:
            ours, theirs = socket.socketpair()
            relay(self._transport, ours)
            # The relay runs on the same loop: one send that blocked would wait for itself.
            theirs.setblocking(False)
            return theirs, self._early
        duplicate = socket.socket(fileno=os.dup(cast("socket.socket", own).fileno()))
        duplicate.setblocking(False)
        # abort() closes our descriptor without shutdown(2), so the connection lives on in the duplicate.
        self._transport.abort()
        return duplicate, self._early

    def take_messages(self, *, binary: bool) -> socket.socket:
        """For a connection opened by `handshake`: a socket the caller owns, which never blocks.

        It is one end of a pair. What is written to it reaches the client as
        WebSocket messages, and what is read from it is those of the client.
        """
        ours, theirs = socket.socketpair()
        outer = Outer(BINARY if binary else TEXT)
        self._follow(outer)
        outer.relay(ours)
        theirs.setblocking(False)
        return theirs

    def _follow(self, protocol: asyncio.Protocol) -> None:
        """Gives the connection to another protocol, which first receives what the client sent early."""
        self._transport.set_write_buffer_limits()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if self._early:
            protocol.data_received(self._early)
        self._transport.resume_reading()
