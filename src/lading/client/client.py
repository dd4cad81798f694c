"""Requests to the Engine API.

API versions are negotiated as Docker's clients do: the engine names its newest
in the answer to `/_ping`, and the older of that and ours is used.
"""

from __future__ import annotations

from lading.client.channel import Channel
from lading.client.codec import dumps
from lading.client.connection import Connection, open_connection
from lading.client.errors import ApiError, ConnectionLost
from lading.client.reply import Reply, Streaming, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from lading.client.address import Address, TlsFiles

    Query = Sequence[tuple[str, str]]

NEWEST_API = "1.51"
_OLDEST_API_WITHOUT_A_NAME = "1.24"
_AT_ONCE = 50
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_IN_A_PATH = _UNRESERVED | frozenset(b"/:@+")


class Client:
    """One engine, as a client sees it. Connections are kept while they are usable."""

    def __init__(
        self,
        address: Address,
        tls: TlsFiles | None = None,
        api_version: str = "",
        user_agent: str = "Lading-Client",
        headers: Query = (),
    ) -> None:
        """`headers` go along with every request."""
        self.address = address
        self._tls = tls
        self._version = api_version
        self._user_agent = user_agent
        self._headers = headers
        self._idle: list[Connection] = []

    def ping(self) -> dict[str, str]:
        """The headers of `/_ping`; also the test whether an engine answers.

        Raises ApiError, ConnectionFailed, ConnectionLost.
        """
        try:
            return self._exchange("HEAD", "/_ping", (), None).headers
        except ApiError:
            # An answer to HEAD cannot say what is wrong; one to GET can.
            return self._exchange("GET", "/_ping", (), None).headers

    @property
    def api_version(self) -> str:
        """The version in use, negotiated at the first need. Raises ConnectionFailed, ConnectionLost."""
        if not self._version:
            theirs = self.ping().get("api-version") or _OLDEST_API_WITHOUT_A_NAME
            self._version = min(theirs, NEWEST_API, key=version_key)
        return self._version

    def at_least(self, version: str) -> bool:
        """Whether the API version in use is `version` or newer."""
        return version_key(self.api_version) >= version_key(version)

    def call(self, method: str, path: str, query: Query = (), body: Any = None) -> Reply:
        """One request with its whole answer; `body` is sent as JSON.

        Raises ApiError, ConnectionFailed, ConnectionLost.
        """
        return self._exchange(method, f"/v{self.api_version}{path}", query, body)

    def call_each(self, method: str, paths: Sequence[str], query: Query = ()) -> Iterator[ApiError | None]:
        """The same request for many objects, all under way at once; each one's refusal or None, in order.

        Raises ConnectionFailed, ConnectionLost.
        """
        for start in range(0, len(paths), _AT_ONCE):
            under_way = []
            for path in paths[start : start + _AT_ONCE]:
                target = f"/v{self.api_version}{path}"
                connection = self._connection()
                connection.send(self._head(method, target, query, None))
                under_way.append(connection)
            for connection in under_way:
                try:
                    self._finish(connection, method)
                except ApiError as refusal:
                    yield refusal
                else:
                    yield None

    def get(self, path: str, query: Query = ()) -> Any:
        """The JSON of a GET. Raises ApiError, ConnectionFailed, ConnectionLost."""
        return self.call("GET", path, query).json()

    def _exchange(self, method: str, target: str, query: Query, body: Any) -> Reply:
        reused = bool(self._idle)
        try:
            return self._exchange_once(method, target, query, body)
        except ConnectionLost:
            # An idle connection may have been closed under us; GET and HEAD do no harm twice.
            if not reused or method not in ("GET", "HEAD"):
                raise
            self.close()
            return self._exchange_once(method, target, query, body)

    def _exchange_once(self, method: str, target: str, query: Query, body: Any) -> Reply:
        connection = self._connection()
        payload = None if body is None else dumps(body)
        connection.send(self._head(method, target, query, payload) + (payload or b""))
        return self._finish(connection, method)

    def _finish(self, connection: Connection, method: str) -> Reply:
        status, reason, headers = connection.head()
        answer = Streaming(connection, method, status, headers)
        data = answer.read()
        if answer.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        check(status, reason, data)
        return Reply(status, headers, data)

    def stream(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: Any = None,
        headers: Query = (),
    ) -> Streaming:
        """One request whose answer is read as it arrives, on a connection of its own.

        Raises ApiError, ConnectionFailed, ConnectionLost.
        """
        target = f"/v{self.api_version}{path}"
        connection = self._connection()
        payload = None if body is None else dumps(body)
        connection.send(self._head(method, target, query, payload, headers) + (payload or b""))
        return self._answer(connection, method)

    def upload(
        self,
        path: str,
        query: Query,
        pieces: Iterable[bytes],
        content_type: str = "application/x-tar",
    ) -> Streaming:
        """A POST whose body comes piece by piece.

        Raises ApiError, ConnectionFailed, ConnectionLost.
        """

        def produce(push: Callable[[bytes], None]) -> None:
            for piece in pieces:
                push(piece)

        return self._send("POST", path, query, produce, content_type)

    def put(
        self,
        path: str,
        query: Query,
        produce: Callable[[Callable[[bytes], None]], None],
        content_type: str = "application/x-tar",
    ) -> Streaming:
        """A PUT whose body is what `produce` pushes.

        Raises ApiError, ConnectionFailed, ConnectionLost, and what `produce` raises.
        """
        return self._send("PUT", path, query, produce, content_type)

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        produce: Callable[[Callable[[bytes], None]], None],
        content_type: str,
    ) -> Streaming:
        target = f"/v{self.api_version}{path}"
        connection = self._connection()
        chunked = (("Content-Type", content_type), ("Transfer-Encoding", "chunked"))
        connection.send(self._head(method, target, query, None, chunked))

        def push(piece: bytes) -> None:
            if piece:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))

        try:
            produce(push)
            connection.send(b"0\r\n\r\n")
        except ConnectionLost:
            # An engine that refuses the body says why before it closes.
            return self._answer(connection, method)
        return self._answer(connection, method)

    def upgrade(self, path: str, query: Query = (), body: Any = None) -> Channel:
        """A POST that takes the connection over (Engine API 1.51, "Attach to a container").

        Raises ApiError, ConnectionFailed, ConnectionLost.
        """
        target = f"/v{self.api_version}{path}"
        connection = self._connection()
        payload = None if body is None else dumps(body)
        taken = (("Connection", "Upgrade"), ("Upgrade", "tcp"))
        connection.send(self._head("POST", target, query, payload, taken) + (payload or b""))
        status, reason, headers = connection.head()
        if status in (101, 200):
            return Channel(connection, headers.get("content-type", ""))
        data = Streaming(connection, "POST", status, headers).read()
        connection.close()
        check(status, reason, data)
        raise ApiError(status, f"unable to upgrade to tcp, received {status}")

    def _answer(self, connection: Connection, method: str) -> Streaming:
        status, reason, headers = connection.head()
        answer = Streaming(connection, method, status, headers)
        if status >= 400:
            data = answer.read()
            connection.close()
            check(status, reason, data)
        return answer

    def _connection(self) -> Connection:
        return self._idle.pop() if self._idle else open_connection(self.address, self._tls)

    def _head(
        self, method: str, target: str, query: Query, payload: bytes | None, headers: Query = ()
    ) -> bytes:
        host = self.address.host if not self.address.path else "lading"
        lines = [
            f"{method} {quote(target, _IN_A_PATH)}{encode_query(query)} HTTP/1.1",
            f"Host: {f'[{host}]' if ':' in host else host}",
            f"User-Agent: {self._user_agent}",
        ]
        if payload is not None:
            lines.append("Content-Type: application/json")
        if payload is not None or method == "POST":
            lines.append(f"Content-Length: {len(payload or b'')}")
        lines.extend(f"{name}: {value}" for name, value in (*self._headers, *headers))
        if any(name == "Transfer-Encoding" for name, _ in headers):
            lines = [line for line in lines if not line.startswith("Content-Length")]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def close(self) -> None:
        """Closes what is idle; connections handed out belong to whoever has them."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def version_key(version: str) -> tuple[int, ...]:
    """An API version in a form that sorts: 1.9 before 1.24."""
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))


def quote(text: str, kept: frozenset[int] = _UNRESERVED) -> str:
    """Percent-encodes all bytes of `text` that are not `kept` (RFC 3986, section 2.1)."""
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in raw)


def encode_query(query: Query) -> str:
    """The query string with its question mark, or nothing."""
    if not query:
        return ""
    return "?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
