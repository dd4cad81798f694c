"""Requests and responses as handlers see them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from lading.errors import InvalidParameter, TooLarge

if TYPE_CHECKING:
    from lading.http.body import BodyQueue
    from lading.http.hijack import Hijacked

REASONS = {
    100: "Continue",
    101: "UPGRADED",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class Headers:
    """Header fields in order; names compare without case, and may repeat."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(name.lower(), value) for name, value in fields]

    def get(self, name: str, default: str = "") -> str:
        """The first value of `name`."""
        name = name.lower()
        for present, value in self._fields:
            if present == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Every value of `name`, in order."""
        name = name.lower()
        return [value for present, value in self._fields if present == name]

    def __contains__(self, name: str) -> bool:
        return any(present == name.lower() for present, _ in self._fields)

    def has_token(self, name: str, token: str) -> bool:
        """Whether a comma-separated field lists `token` (RFC 9110, section 5.6.1)."""
        words = (word.strip().lower() for value in self.all(name) for word in value.split(","))
        return token in words


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as far as the kernel or a certificate vouches for it."""

    address: str = ""
    """"192.0.2.1:40000"; empty over a UNIX socket."""

    process: int | None = None
    user: int | None = None
    group: int | None = None
    """Over a UNIX socket: who connected (unix(7), SO_PEERCRED)."""

    common_name: str = ""
    """Over TLS: the subject of the client's verified certificate."""


class Request:
    """One request. Its body is read at most once, whole or in pieces."""

    __slots__ = ("_body", "_hijack", "_peer", "_query", "headers", "method", "path", "raw_path", "raw_query")

    def __init__(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: "BodyQueue",
        hijack: "Callable[[bytes], Awaitable[Hijacked]]",
        peer: "Callable[[], Peer]",
    ) -> None:
        self.method = method
        self.raw_path, _, self.raw_query = target.partition("?")
        self.path = unquote(self.raw_path)
        self.headers = headers
        self._peer = peer
        self._body = body
        self._hijack = hijack
        self._query: dict[str, list[str]] | None = None

    @property
    def query(self) -> dict[str, list[str]]:
        """Decoded query parameters; a parameter without value has the empty string."""
        if self._query is None:
            self._query = parse_qs(self.raw_query, keep_blank_values=True) if self.raw_query else {}
        return self._query

    @property
    def peer(self) -> Peer:
        """Who asks."""
        return self._peer()

    def stream(self) -> AsyncIterator[bytes]:
        """The body piece by piece, with back-pressure on the client."""
        return self._body.pieces()

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises TooLarge beyond `limit` bytes."""
        pieces, size = [], 0
        async for piece in self._body.pieces():
            size += len(piece)
            if size > limit:
                raise TooLarge(f"the request's body is larger than the {limit} bytes accepted here")
            pieces.append(piece)
        return b"".join(pieces)

    async def hijack(self, head: bytes) -> "Hijacked":
        """Sends `head` (status line and fields) and takes the connection out of HTTP.

        A body not read yet stays on the connection.
        """
        return await self._hijack(head)


class Response:
    """A status, fields and a body: bytes, or an iterator sent in chunks as it yields."""

    __slots__ = ("body", "content_type", "fields", "status")

    def __init__(
        self,
        status: int = 200,
        body: bytes | AsyncIterator[bytes] = b"",
        *,
        content_type: str = "",
        fields: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.fields = tuple(fields)


def head(status: int, fields: Iterable[tuple[str, str]]) -> bytes:
    """The status line and header fields. Raises InvalidParameter for a field with a line break."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
    for name, value in fields:
        if "\n" in value or "\r" in value:
            raise InvalidParameter(f"header field {name} contains a line break")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
