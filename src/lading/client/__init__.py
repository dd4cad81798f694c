"""Speaks the Engine API from the client's side: over a UNIX socket, TCP, or TCP with TLS.

Here: addresses, HTTP/1.1 requests, answers that arrive piece by piece, and
connections taken over for raw streams. Not here: what a command prints, which
engine a user means, and terminals. It calls nobody but the standard library,
and of that only what starts fast: a command line imports it before every
command.
"""

from lading.client.address import DEFAULT_SOCKET, Address, TlsFiles, parse_address
from lading.client.channel import Channel
from lading.client.client import NEWEST_API, Client
from lading.client.codec import dumps, loads
from lading.client.errors import ApiError, BadAddress, ClientError, ConnectionFailed, ConnectionLost
from lading.client.reply import Reply, Streaming

__all__ = [
    "DEFAULT_SOCKET",
    "NEWEST_API",
    "Address",
    "ApiError",
    "BadAddress",
    "Channel",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "ConnectionLost",
    "Reply",
    "Streaming",
    "TlsFiles",
    "dumps",
    "loads",
    "parse_address",
]
