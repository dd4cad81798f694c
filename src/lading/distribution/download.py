"""Files from the web, for `docker import URL`: they come as blobs do, through the same proxies."""

from lading.distribution.blobs import WebBlob
from lading.distribution.failures import shown_url
from lading.distribution.transport import Answer, Request, Transport
from lading.errors import Forbidden, InvalidParameter, LadingError, NotFound, Unauthorized

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_CHAIN = 10
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
    where = url
    for _ in range(_LONGEST_CHAIN):
        if not where.lower().startswith(("http://", "https://")):
            scheme = where.partition(":")[0]
            raise InvalidParameter(f'Get "{shown_url(where)}": unsupported protocol scheme "{scheme}"')
        answer = transport.send(Request("GET", where))
        if answer.status in _REDIRECTS and answer.location:
            answer.drop()
            where = answer.location
            continue
        if answer.status >= 400:
            raise _refused(answer, url)
        return WebBlob(answer, shown_url(url), 0, answer.length, 0)
    raise LadingError(f'Get "{shown_url(url)}": stopped after {_LONGEST_CHAIN} redirects')


def _refused(answer: Answer, url: str) -> LadingError:
    said = answer.excerpt().decode("utf-8", "replace").strip()
    text = f"failed to GET {shown_url(url)} with status {answer.status}"
    return _STATUSES.get(answer.status, LadingError)(f"{text}: {said}" if said else text)
