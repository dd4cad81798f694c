"""Authorization at one endpoint: Basic, Bearer and the tokens for it.

Source: distribution specification, "Token Authentication" and "OAuth2 Token Authentication".
"""

import base64
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from lading.distribution.answers import REPEATABLE, refusal
from lading.distribution.challenge import Challenge
from lading.distribution.endpoints import origin
from lading.distribution.transport import Answer, Request, Transport
from lading.distribution.values import Credentials, Interrupted
from lading.errors import LadingError, Unauthorized

CLIENT_ID = "docker"
_LEAST = 60
"""Seconds a token lives at least, whatever its server says."""
_ANSWER_LIMIT = 1024 * 1024


class _TokenAnswer(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: float | None = None


class Authorizer:
    """What goes into `Authorization` for one repository at one endpoint. Any thread.

    `private` says that the endpoint proved who it is, so that nothing may be said in the
    clear on its behalf; `offline`, that a token to log in with is asked for.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials | None,
        scope: str,
        *,
        private: bool = False,
        offline: bool = False,
    ) -> None:
        self._transport = transport
        self._credentials = credentials or Credentials()
        self._scope = scope
        self._private = private
        self._offline = offline
        self._demands: dict[str, Challenge] = {}
        self._tokens: dict[tuple[str, ...], tuple[str, float]] = {}
        self._lock = threading.Lock()
        self.identity_token = ""
        """What the token server gave to be shown instead of the password."""

    def learn(self, demands: Sequence[Challenge]) -> None:
        """What the registry demands, from now on."""
        with self._lock:
            if demands:
                self._demands = {demand.scheme: demand for demand in reversed(demands)}

    def forget(self) -> None:
        """Tokens were refused."""
        with self._lock:
            self._tokens.clear()

    def header(self, further: Sequence[str] = ()) -> str:
        """Empty where nothing is demanded. `further` are scopes beyond the repository's.

        Raises Unauthorized, what the token server's refusal means, and LadingError for a
        token that cannot be said.
        """
        credentials = self._credentials
        if credentials.registry_token:
            return _bearer(credentials.registry_token)
        with self._lock:
            if "bearer" in self._demands:
                return _bearer(self._token(self._demands["bearer"], further))
            if "basic" in self._demands:
                if not credentials.username or not credentials.password:
                    raise Unauthorized("no basic auth credentials")
                return _basic(credentials)
        return ""

    def _token(self, demand: Challenge, further: Sequence[str]) -> str:
        scopes = tuple(dict.fromkeys(scope for scope in (self._scope, *further) if scope))
        token, end = self._tokens.get(scopes, ("", 0.0))
        if token and time.monotonic() < end:
            return token
        begun = time.monotonic()
        answer = self._fetch(demand, scopes)
        token = answer.token or answer.access_token or ""
        if not token:
            raise Unauthorized("authorization server did not include a token in the response")
        if answer.refresh_token:
            self.identity_token = answer.refresh_token
        self._tokens[scopes] = (token, begun + max(answer.expires_in or 0.0, _LEAST))
        return token

    def _fetch(self, demand: Challenge, scopes: Sequence[str]) -> _TokenAnswer:
        realm = demand.parameters.get("realm", "")
        if not origin(realm)[1]:
            raise Unauthorized("no realm specified for token auth challenge")
        if self._private and origin(realm)[0] == "http" and self._credentials != Credentials():
            raise Unauthorized(
                f"the registry sends us for a token to {realm}, which is not encrypted: "
                "credentials are not sent there"
            )
        service = demand.parameters.get("service", "")
        if self._credentials.identity_token:
            request = self._refreshing(realm, service, scopes)
        else:
            request = self._asking(realm, service, scopes)
        follow = request.method == "GET"
        return _read(self._transport.follow(request) if follow else self._transport.send(request))

    def _asking(self, realm: str, service: str, scopes: Sequence[str]) -> Request:
        query = [("service", service)] if service else []
        query += [("scope", scope) for scope in scopes]
        headers = {}
        if self._offline:
            query += [("offline_token", "true"), ("client_id", CLIENT_ID)]
        if self._credentials.username and self._credentials.password:
            query.append(("account", self._credentials.username))
            headers["Authorization"] = _basic(self._credentials)
        separator = "&" if "?" in realm else "?"
        return Request("GET", realm + (separator + urlencode(query) if query else ""), headers)

    def _refreshing(self, realm: str, service: str, scopes: Sequence[str]) -> Request:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._credentials.identity_token,
            "service": service,
            "client_id": CLIENT_ID,
        }
        if scopes:
            form["scope"] = " ".join(scopes)
        if self._offline:
            form["access_type"] = "offline"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", realm, headers, urlencode(form).encode())


def _read(answer: Answer) -> _TokenAnswer:
    if answer.status != 200:
        refused = refusal(answer.status, answer.demands, answer.excerpt())
        raise Interrupted(refused.text) if answer.status in REPEATABLE else refused.error()
    body = answer.whole(_ANSWER_LIMIT) or b""
    try:
        return msgspec.json.decode(body, type=_TokenAnswer)
    except msgspec.MsgspecError as error:
        raise LadingError(f"unable to decode token response: {error}") from None


def _bearer(token: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise LadingError('net/http: invalid header field value for "Authorization"')
    return f"Bearer {token}"


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode()
