"""Files from the web, for `docker import URL`: they come as blobs do, through the same proxies."""

import base64
from urllib.parse import unquote, urlsplit

from lading.distribution.blobs import WebBlob
from lading.distribution.failures import shown_url
from lading.distribution.transport import REDIRECTS, Answer, Request, Transport
from lading.errors import Forbidden, InvalidParameter, LadingError, NotFound, Unauthorized

_STATUSES: dict[int, type[LadingError]] = {
    400: InvalidParameter,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
}


def download(transport: Transport, url: str) -> WebBlob:
    """What a URL names, from its beginning.

    Raises InvalidParameter, NotFound, Unauthorized, Forbidden, Unreachable, Interrupted, LadingError.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise _unsupported(url)
    answer = transport.follow(Request("GET", url, _who_asks(url)))
    if answer.status in REDIRECTS:
        raise _unsupported(answer.location)
    if answer.status >= 400:
        raise _refused(answer, url)
    return WebBlob(answer, shown_url(url), 0, answer.length, 0)


def _who_asks(url: str) -> dict[str, str]:
    """What a URL says before an @, as Go's client says it to the server."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {}
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _unsupported(url: str) -> LadingError:
    scheme = url.partition(":")[0]
    return InvalidParameter(f'Get "{shown_url(url)}": unsupported protocol scheme "{scheme}"')


def _refused(answer: Answer, url: str) -> LadingError:
    said = answer.excerpt().decode("utf-8", "replace").strip()
    text = f"failed to GET {shown_url(url)} with status {answer.status}"
    return _STATUSES.get(answer.status, LadingError)(f"{text}: {said}" if said else text)
