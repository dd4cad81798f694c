"""HTTP/1.1 over UNIX and TCP sockets, with and without TLS, and connections that can be handed on.

Here: listening, parsing, streaming bodies both ways, and giving up a
connection (hijacking), which is what Docker's attach and exec are built on; WebSocket.
Not here: routes, JSON, or anything of containers. Calls nobody but the hall.
"""

from lading.http.connection import Handler
from lading.http.handshake import handshake
from lading.http.hijack import Hijacked
from lading.http.listen import TlsFiles, inherited_sockets, listen_tcp, listen_unix
from lading.http.messages import Headers, Peer, Request, Response
from lading.http.server import Server

__all__ = [
    "Handler",
    "Headers",
    "Hijacked",
    "Peer",
    "Request",
    "Response",
    "Server",
    "TlsFiles",
    "handshake",
    "inherited_sockets",
    "listen_tcp",
    "listen_unix",
]
