"""Opening a WebSocket connection.

Source: RFC 6455, section 4.2.
"""

import base64
import binascii
import hashlib

from lading.errors import InvalidParameter
from lading.http.messages import Headers

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_LENGTH = 16


def handshake(headers: Headers) -> bytes:
    """The head of the answer that opens the connection. Raises InvalidParameter where none was asked for."""
    if not headers.has_token("upgrade", "websocket") or not headers.has_token("connection", "upgrade"):
        raise InvalidParameter("not a websocket request: it must ask for an upgrade to websocket")
    if headers.get("sec-websocket-version") != "13":
        raise InvalidParameter("missing or bad WebSocket version: it must be 13")
    key = headers.get("sec-websocket-key").strip()
    try:
        length = len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if length != _KEY_LENGTH:
        raise InvalidParameter("missing or bad Sec-WebSocket-Key: it must be 16 bytes in base64")
    # SHA-1 is what the protocol says; it proves no more than that we know it.
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}",
    ]
    offered = headers.get("sec-websocket-protocol").partition(",")[0].strip()
    if offered:
        lines.append(f"Sec-WebSocket-Protocol: {offered}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
