"""Searching a registry for repositories.

Source: moby, GET /images/search; the first registry protocol, `GET /v1/search`.
"""

import base64
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import msgspec

from lading.distribution.endpoints import Endpoint
from lading.distribution.line import Line
from lading.distribution.tokens import Authorizer
from lading.distribution.transport import Request, Transport
from lading.distribution.values import Credentials, Interrupted, SearchResult, Unreachable
from lading.errors import LadingError

_LIMIT = 16 * 1024 * 1024


class _Found(msgspec.Struct):
    name: str = ""
    description: str | None = None
    star_count: int | None = None
    is_official: bool | None = None


class _Results(msgspec.Struct):
    results: list[_Found] | None = None


def search(
    endpoints: Sequence[Endpoint],
    transport_of: Callable[[Endpoint], Transport],
    term: str,
    limit: int,
    credentials: Credentials | None,
) -> list[SearchResult]:
    """Asks the endpoints in their order. Raises what the registry's refusal means, LadingError."""
    last = LadingError("no endpoint to search")
    for endpoint in endpoints:
        try:
            return _search(endpoint, transport_of(endpoint), term, limit, credentials)
        except (Unreachable, Interrupted) as error:
            last = error
    raise last


def _search(
    endpoint: Endpoint, transport: Transport, term: str, limit: int, credentials: Credentials | None
) -> list[SearchResult]:
    url = f"{endpoint.url}/v1/search?{urlencode({'q': term, 'n': limit})}"
    headers = {"X-Docker-Token": "true"}
    if credentials is not None and credentials.username and credentials.password:
        pair = f"{credentials.username}:{credentials.password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    if credentials is not None and credentials.identity_token:
        authorizer = Authorizer(transport, credentials, "registry:catalog:search", private=endpoint.private)
        answer = Line(endpoint, transport, authorizer).ask(Request("GET", url, headers))
    else:
        answer = transport.send(Request("GET", url, headers))
    if answer.status != 200:
        answer.drop()
        raise LadingError(f"Unexpected status code {answer.status}")
    body = answer.whole(_LIMIT) or b""
    try:
        found = msgspec.json.decode(body, type=_Results).results or []
    except msgspec.MsgspecError as error:
        raise LadingError(f"error decoding registry search results: {error}") from None
    # Whether it is built automatically is not known any more; docker says no.
    return [
        SearchResult(entry.name, entry.description or "", entry.star_count or 0, bool(entry.is_official))
        for entry in found
    ]
