"""Requests over HTTP: connections that are kept, pieces of bodies, and a way to break off."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

import urllib3
from urllib3.response import BaseHTTPResponse

from lading.distribution.certificates import Trust, context_for
from lading.distribution.challenge import Challenge, challenges
from lading.distribution.endpoints import origin
from lading.distribution.failures import CAUGHT, endless, failure
from lading.distribution.proxies import Proxies
from lading.distribution.values import Interrupted
from lading.distribution.watch import POOLS, cut
from lading.errors import LadingError

# Registries named as insecure are so on purpose.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
# It would write down every request, with what is in the addresses.
logging.getLogger("urllib3").setLevel(logging.WARNING)

PIECE = 256 * 1024
"""Bytes read at most at once; a larger buffer costs more in fresh memory than it saves in calls."""
_REFUSAL_LIMIT = 64 * 1024
_HOSTS = 16
_LONGEST_NUMBER = 19
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LONGEST_CHAIN = 10
"""Redirects that are followed, as by Go's client."""
_CONNECTIONS = 64
"""Kept for each host; more can be had, but are closed after use."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. A body that is not small is made anew each time it is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Callable[[], Iterable[bytes]] | None = None
    scopes: tuple[str, ...] = ()
    """What a token must allow beyond the repository's own."""


class Answer:
    """A server's answer whose body is still to be read. One thread, but for `abort`."""

    def __init__(self, response: BaseHTTPResponse, request: Request) -> None:
        self._response = response
        self._request = request
        self._lock = threading.Lock()
        self._open = True
        self._aborted = False
        self.status = response.status
        self.headers = response.headers
        # The pool takes the connection back with the last byte; what is aborted then is another's.
        self._socket: socket.socket | None = getattr(response.connection, "sock", None)

    @property
    def url(self) -> str:
        """Where it came from."""
        return self._request.url

    @property
    def demands(self) -> list[Challenge]:
        """Its challenges."""
        return challenges(self.headers.getlist("WWW-Authenticate"))

    @property
    def location(self) -> str:
        """Where it points, as a whole URL; empty if to nobody who could be asked."""
        try:
            target = urljoin(self.url, self.headers.get("Location", "")) if "Location" in self.headers else ""
        except ValueError:
            return ""
        return target if origin(target)[1] else ""

    @property
    def length(self) -> int:
        """Of the body in bytes; -1 if it does not say."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else -1

    def piece(self) -> bytes:
        """The next bytes, as many as there are; empty at the end. Raises Interrupted."""
        try:
            piece = self._response.read1(PIECE, decode_content=False) if self._open else b""
        except (*CAUGHT, ValueError, AttributeError) as error:
            self.close()
            raise self._broken(error) from None
        if not piece:
            if self._aborted:
                self.close()
                raise Interrupted("context canceled")
            self.finish()
        return piece or b""

    def _broken(self, error: Exception) -> LadingError:
        if self._aborted:
            return Interrupted("context canceled")
        broken = failure(self._request.method, self.url, error)
        return broken if isinstance(broken, Interrupted) else Interrupted(broken.message)

    def whole(self, limit: int) -> bytes | None:
        """The body; None if it is longer than `limit` bytes. Raises Interrupted."""
        pieces: list[bytes] = []
        length = 0
        while piece := self.piece():
            length += len(piece)
            if length > limit:
                self.close()
                return None
            pieces.append(piece)
        return b"".join(pieces)

    def excerpt(self) -> bytes:
        """A refusal's body, or what can be had of it."""
        try:
            return self.whole(_REFUSAL_LIMIT) or b""
        except LadingError:
            return b""

    def finish(self) -> None:
        """Gives the connection back; for bodies that are at their end."""
        with self._lock:
            self._open, self._socket = False, None
        self._response.release_conn()

    def drop(self) -> None:
        """Done with it: the connection is kept if the rest of the body is short."""
        if self._open and (0 <= self.length <= _REFUSAL_LIMIT or self._request.method == "HEAD"):
            self.excerpt()
        self.close()

    def close(self) -> None:
        """Ends the transfer; the connection is lost if the body was not at its end."""
        with self._lock:
            still, self._open, self._socket = self._open, False, None
        if still:
            self._response.close()

    def abort(self) -> None:
        """Wakes the thread that waits for bytes. Any thread."""
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                cut(self._socket)


class Transport:
    """Connections to one registry and to where it sends us. Blocks; any thread."""

    def __init__(self, trust: Trust, proxies: Proxies, timeout: float, user_agent: str) -> None:
        self._trust = trust
        self._proxies = proxies
        self._timeout = urllib3.Timeout(connect=timeout, read=timeout)
        self._user_agent = user_agent
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def send(self, request: Request) -> Answer:
        """One request, whatever the answer's status. Raises Unreachable, Interrupted."""
        headers = {"User-Agent": self._user_agent, "Accept-Encoding": "identity", **request.headers}
        proxy = self._proxies.proxy_for(request.url)
        pool = self._pool(proxy)
        body = request.body
        try:
            response = pool.urlopen(
                request.method,
                request.url,
                body=body() if callable(body) else body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout,
            )
        except CAUGHT as error:
            raise failure(request.method, request.url, error, proxy) from None
        return Answer(response, request)

    def follow(self, request: Request) -> Answer:
        """As `send`, but a GET goes where it is sent, and says elsewhere no more who asks.

        Raises LadingError too, for a chain that does not end.
        """
        start = request.url
        for _ in range(LONGEST_CHAIN):
            answer = self.send(request)
            location = answer.location
            if answer.status not in REDIRECTS or not location:
                return answer
            answer.drop()
            headers = dict(request.headers)
            if origin(location) != origin(request.url):
                headers.pop("Authorization", None)
            request = replace(request, url=location, headers=headers)
        raise endless(request.method, start)

    def _pool(self, proxy: str) -> urllib3.PoolManager:
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._new_pool(proxy)
                self._pools[proxy].pool_classes_by_scheme = POOLS
            return self._pools[proxy]

    def _new_pool(self, proxy: str) -> urllib3.PoolManager:
        context = context_for(self._trust)
        if not proxy:
            return urllib3.PoolManager(_HOSTS, maxsize=_CONNECTIONS, ssl_context=context)
        parsed = urllib3.util.parse_url(proxy)
        fields = urllib3.make_headers(proxy_basic_auth=parsed.auth) if parsed.auth else None
        return urllib3.ProxyManager(
            parsed._replace(auth=None).url,
            _HOSTS,
            proxy_headers=fields,
            maxsize=_CONNECTIONS,
            ssl_context=context,
        )
