"""Blobs on their way to a registry: begun, sent, gone on with, finished, or taken over.

Source: distribution specification 1.1, "Pushing a blob in chunks" and "Mounting a blob".
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlencode

from lading.distribution.answers import REPEATABLE
from lading.distribution.blobs import size_of
from lading.distribution.pauses import LONGEST
from lading.distribution.session import Session
from lading.distribution.transport import Answer, Request
from lading.distribution.values import Interrupted, Unreachable
from lading.errors import LadingError, NotFound

_PIECE = 1024 * 1024


class Uploads:
    """Uploads to one repository. Any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._begun: dict[str, str] = {}
        self._lock = threading.Lock()

    def mount(self, digest: str, source: str) -> bool:
        """Whether the registry took it over from the repository `source`.

        Where it does not, it has begun an upload, which `upload` goes on with.
        """
        query = urlencode({"mount": digest, "from": source})
        scopes = (f"repository:{source}:pull",)
        request = Request("POST", f"{self._path()}?{query}", {"Content-Length": "0"}, b"", scopes)
        answer = self._session.ask(request, (201, 202))
        if answer.status == 201:
            answer.drop()
            return True
        if answer.status != 202:
            raise self._session.refused(answer).error()
        answer.drop()
        with self._lock:
            self._begun[digest] = answer.location
        return False

    def upload(
        self,
        digest: str,
        size: int,
        read: Callable[[int], Iterator[bytes]],
        sent: Callable[[int], None],
    ) -> None:
        """Raises Interrupted when it broke too often, and what the registry's refusal means."""
        with self._lock:
            location = self._begun.pop(digest, "")
        offset = 0
        for attempt in range(1, self._session.attempts + 1):
            try:
                location = location or self._begin()
                if not location:
                    return
                self._send(location, digest, size, offset, read, sent)
                return
            except (Interrupted, NotFound, Unreachable) as error:
                pause = error.retry_after if isinstance(error, Interrupted) else 0.0
                # To begin has its own patience.
                if attempt == self._session.attempts or not location or pause > LONGEST:
                    raise
                self._session.again(attempt, pause)
                if size_of(self._session, digest) is not None:
                    return
                location, offset = self._state(location, size)

    def _path(self) -> str:
        return f"/v2/{self._session.name}/blobs/uploads/"

    def _begin(self) -> str:
        """Where to send to; empty where the registry is content already."""
        answer = self._session.ask(Request("POST", self._path(), {"Content-Length": "0"}, b""), (202,))
        if answer.status not in (201, 202):
            raise self._session.refused(answer).error()
        answer.drop()
        if answer.status == 201:
            return ""
        if not answer.location:
            raise LadingError("the registry began an upload without saying where")
        return answer.location

    def _send(
        self,
        location: str,
        digest: str,
        size: int,
        offset: int,
        read: Callable[[int], Iterator[bytes]],
        sent: Callable[[int], None],
    ) -> None:
        def body() -> Iterable[bytes]:
            place = offset
            for piece in read(offset):
                self._session.check()
                yield piece
                place += len(piece)
                sent(place)

        if offset < size or size == 0:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size - offset)}
            if offset:
                headers["Content-Range"] = f"{offset}-{size - 1}"
            answer = self._ask(Request("PATCH", location, headers, body), (200, 202, 204))
            location = answer.location or location
        self._finish(location, digest)

    def _finish(self, location: str, digest: str) -> None:
        separator = "&" if "?" in location else "?"
        url = f"{location}{separator}{urlencode({'digest': digest})}"
        self._ask(Request("PUT", url, {"Content-Length": "0"}, b""), (200, 201, 204))

    def _ask(self, request: Request, wanted: tuple[int, ...]) -> Answer:
        """One attempt. Raises Interrupted for what another may mend."""
        answer = self._session.ask(request, wanted, patient=False)
        if answer.status in wanted:
            answer.drop()
            return answer
        pause = self._session.retry_after(answer)
        refused = self._session.refused(answer)
        if answer.status in REPEATABLE or answer.status == 416:
            raise Interrupted(refused.text, pause)
        raise refused.error()

    def _state(self, location: str, size: int) -> tuple[str, int]:
        """Where a broken upload is gone on with, and from which byte; an empty place if not at all."""
        if not location:
            return "", 0
        try:
            answer = self._session.ask(Request("GET", location), (200, 204), patient=False)
        except LadingError:
            return "", 0
        answer.drop()
        first, _, last = answer.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if answer.status not in (200, 204) or first != "0" or not last.isdigit():
            return "", 0
        # "0-0" may also mean that nothing came; to begin anew is right in both cases.
        have = int(last) + 1 if last != "0" else 0
        return (answer.location or location, have) if 0 < have <= size else ("", 0)
