"""Blobs: pieces from any offset on, and whether they are there.

Source: distribution specification 1.1, "Pulling blobs"; RFC 9110, section 14.
"""

import re

from lading.distribution.answers import REPEATABLE
from lading.distribution.failures import shown_url
from lading.distribution.session import Session
from lading.distribution.transport import Answer, Request, Transport
from lading.distribution.values import Interrupted
from lading.errors import LadingError, NotFound
from lading.oci.image import Descriptor

_RANGE = re.compile(r"bytes\s+([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)\Z")


class WebBlob:
    """A blob on its way over HTTP."""

    def __init__(self, answer: Answer, digest: str, offset: int, size: int, most: int) -> None:
        self.offset = offset
        self.size = size
        self._answer = answer
        self._digest = digest
        self._most = most
        self._place = offset

    def read(self) -> bytes:
        """The next piece. Raises Interrupted, and LadingError if there are more bytes than promised."""
        piece = self._answer.piece()
        self._place += len(piece)
        if 0 < self._most < self._place:
            self._answer.close()
            raise LadingError(f"{self._digest}: the registry sends more than the {self._most} bytes it has")
        if not piece and self._place < self.size:
            raise Interrupted(f"{self._digest}: unexpected EOF after {self._place} of {self.size} bytes")
        return piece

    def close(self) -> None:
        """Ends the transfer."""
        self._answer.close()

    def abort(self) -> None:
        """Makes a `read` that waits raise. Any thread."""
        self._answer.abort()


def open_blob(session: Session, descriptor: Descriptor, offset: int) -> WebBlob:
    """From `offset` on, or from 0 where the registry knows no ranges.

    Raises NotFound, Unauthorized, Forbidden, Interrupted, LadingError.
    """
    path = f"/v2/{session.name}/blobs/{descriptor.digest}"
    answer = session.ask(Request("GET", path, _range(offset)), (200, 206))
    if offset and not _fits(answer, offset) and answer.status in (206, 416):
        answer.close()
        answer = session.ask(Request("GET", path), (200,))
    if answer.status in (200, 206):
        return _blob(answer, descriptor, offset)
    pause = session.retry_after(answer)
    refused = session.refused(answer)
    if answer.status in REPEATABLE:
        raise Interrupted(refused.text, pause)
    if answer.status == 404 and not refused.code:
        raise NotFound("blob unknown: blob unknown to registry")
    raise refused.error()


def open_foreign(transport: Transport, descriptor: Descriptor, offset: int) -> WebBlob:
    """From the first of its URLs that has it. Raises LadingError with the last one's failure."""
    last: LadingError = NotFound(f"no URL of {descriptor.digest} can be fetched")
    for url in descriptor.urls or ():
        if not url.lower().startswith(("http://", "https://")):
            continue
        try:
            return _from_url(transport, url, descriptor, offset)
        except LadingError as error:
            last = error
    raise last


def _from_url(transport: Transport, url: str, descriptor: Descriptor, offset: int) -> WebBlob:
    answer = transport.follow(Request("GET", url, _range(offset)))
    if answer.status in (206, 416) and not _fits(answer, offset):
        answer.close()
        answer = transport.follow(Request("GET", url))
    if answer.status in (200, 206):
        return _blob(answer, descriptor, offset)
    answer.drop()
    text = f'Get "{shown_url(url)}": unexpected status {answer.status}'
    raise Interrupted(text) if answer.status in REPEATABLE else NotFound(text)


def size_of(session: Session, digest: str) -> int | None:
    """None where it is not. Raises as `open_blob`."""
    answer = session.ask(Request("HEAD", f"/v2/{session.name}/blobs/{digest}"), (200,))
    answer.drop()
    if answer.status == 200:
        return max(answer.length, 0)
    if answer.status == 404:
        return None
    # HEAD has no body to say why.
    raise session.refused(answer).error()


def _range(offset: int) -> dict[str, str]:
    return {"Range": f"bytes={offset}-"} if offset else {}


def _place(answer: Answer) -> re.Match[str] | None:
    """First byte, last byte and the whole blob's size, where the answer is a part of it."""
    return _RANGE.match(answer.headers.get("Content-Range", "").strip()) if answer.status == 206 else None


def _fits(answer: Answer, offset: int) -> bool:
    place = _place(answer)
    return place is not None and int(place[1]) == offset


def _blob(answer: Answer, descriptor: Descriptor, offset: int) -> WebBlob:
    place = _place(answer) if offset else None
    if place is None:
        return WebBlob(answer, descriptor.digest, 0, answer.length, descriptor.size)
    size = int(place[2]) + 1 if place[3] == "*" else int(place[3])
    return WebBlob(answer, descriptor.digest, offset, size, descriptor.size)
