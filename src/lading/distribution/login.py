"""Whether a registry takes credentials.

Source: moby, POST /auth (Engine API 1.51, SystemAuth).
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from lading.distribution.endpoints import Endpoint
from lading.distribution.line import Line
from lading.distribution.tokens import Authorizer
from lading.distribution.transport import Request, Transport
from lading.distribution.values import Credentials, Login
from lading.errors import LadingError, Unauthorized


def login(
    endpoints: Sequence[Endpoint], transport_of: Callable[[Endpoint], Transport], credentials: Credentials
) -> Login:
    """Asks the endpoints in their order. Raises Unauthorized, and LadingError with the last failure."""
    last = LadingError("no endpoint to log in to")
    for endpoint in endpoints:
        try:
            return _login(endpoint, transport_of(endpoint), credentials)
        except Unauthorized:
            raise
        except LadingError as error:
            last = error
    raise last


def _login(endpoint: Endpoint, transport: Transport, credentials: Credentials) -> Login:
    authorizer = Authorizer(transport, credentials, "", private=endpoint.private, offline=True)
    answer = Line(endpoint, transport, authorizer).ask(Request("GET", "/v2/"))
    answer.drop()
    if answer.status != 200:
        raise LadingError(
            f"login attempt to {endpoint.url}/v2/ failed with status: {answer.status} "
            f"{_phrase(answer.status)}".rstrip()
        )
    return Login("Login Succeeded", authorizer.identity_token)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
