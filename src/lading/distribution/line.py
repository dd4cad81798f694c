"""One endpoint: greeted once, authorized, and followed where it sends us."""

import threading
from dataclasses import replace

from lading.distribution.endpoints import Endpoint, origin
from lading.distribution.failures import endless, shown_url
from lading.distribution.tokens import Authorizer
from lading.distribution.transport import LONGEST_CHAIN, REDIRECTS, Answer, Request, Transport
from lading.errors import LadingError


class Line:
    """The way to one endpoint on behalf of one repository. Any thread."""

    def __init__(self, endpoint: Endpoint, transport: Transport, authorizer: Authorizer) -> None:
        self.endpoint = endpoint
        self.authorizer = authorizer
        self.answered = False
        """Whether anything ever came from there."""
        self.dead = False
        """Whether the last try did not reach it."""
        self._transport = transport
        self._greeted = False
        self._lock = threading.Lock()

    def ask(self, request: Request) -> Answer:
        """One answer of whatever status. `request.url` may be a path of the registry.

        Raises Unreachable, Interrupted, and why no token was to be had.
        """
        if request.url.startswith("/"):
            request = replace(request, url=self.endpoint.url + request.url)
        refused = self._greet()
        if refused is not None:
            return refused
        answer = self._authorized(request)
        if answer.status == 401 and self._is_own(answer.url):
            demands = answer.demands
            answer.drop()
            self.authorizer.learn(demands)
            self.authorizer.forget()
            answer = self._authorized(request)
        return answer

    def _greet(self) -> Answer | None:
        """Learns what the registry demands; gives an answer only where it is too busy to say."""
        with self._lock:
            if self._greeted:
                return None
            answer = self._transport.send(Request("GET", f"{self.endpoint.url}/v2/"))
            self.answered = True
            if answer.status == 429 or answer.status >= 500:
                return answer
            if answer.status == 401:
                self.authorizer.learn(answer.demands)
            answer.drop()
            self._greeted = True
            return None

    def _authorized(self, request: Request) -> Answer:
        start = request.url
        for _ in range(LONGEST_CHAIN):
            answer = self._transport.send(self._signed(request))
            self.answered = True
            location = answer.location
            repeatable = request.method in ("GET", "HEAD") or answer.status in (307, 308)
            if answer.status not in REDIRECTS or not location or not repeatable:
                return answer
            answer.drop()
            request = replace(request, url=location)
        raise endless(request.method, start)

    def _signed(self, request: Request) -> Request:
        # Whoever stands behind a redirect is not whom the credentials are for.
        if not self._is_own(request.url):
            return request
        try:
            value = self.authorizer.header(request.scopes)
        except LadingError as error:
            error.args = (f'{request.method.capitalize()} "{shown_url(request.url)}": {error.message}',)
            error.message = error.args[0]
            raise
        return replace(request, headers={**request.headers, "Authorization": value}) if value else request

    def _is_own(self, url: str) -> bool:
        return origin(url) == origin(self.endpoint.url)
