"""The daemon's end of the connection to the keeper: requests, replies, news."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from lading import keeper
from lading.aio.companion import connect_companion
from lading.errors import Conflict, InternalError, LadingError, NotFound, Unavailable
from lading.keeper import Message


class LinkLost(Unavailable):
    """The keeper went away before it answered; whether it did as asked is unknown."""


class RuntimeFailed(LadingError):
    """The OCI runtime ended with an error; the text is what it said."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


_KINDS: dict[str, type[LadingError]] = {"not-found": NotFound, "conflict": Conflict, "failed": InternalError}


class Link:
    """One connection. `lost` is called once when it breaks."""

    def __init__(
        self, connection: socket.socket, news: Callable[[Message], None], lost: Callable[[], None]
    ) -> None:
        self._socket = connection
        self._news = news
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._numbers = 0
        self._waiting: dict[int, asyncio.Future[tuple[Message, dict[str, int]]]] = {}
        self._queue: deque[tuple[Message, list[int]]] = deque()
        connection.setblocking(False)
        self._loop.add_reader(connection, self._readable)

    async def ask(
        self, operation: str, descriptors: Mapping[str, int] | None = None, /, **fields: Any
    ) -> tuple[Message, dict[str, int]]:
        """Sends a request; its result and the named descriptors that came with it, now the caller's.

        Raises LinkLost, RuntimeFailed, or what else the keeper says of it.
        """
        if self._socket.fileno() < 0:
            raise LinkLost("the keeper is not there")
        self._numbers += 1
        number = self._numbers
        message: Message = {"op": operation, "n": number, **fields}
        named = descriptors or {}
        if named:
            message["fds"] = list(named)
        # Duplicates, for the caller may close his own before they are sent.
        self._queue.append((message, [os.dup(descriptor) for descriptor in named.values()]))
        answer: asyncio.Future[tuple[Message, dict[str, int]]] = self._loop.create_future()
        self._waiting[number] = answer
        self._flush()
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def _flush(self) -> None:
        while self._queue:
            message, descriptors = self._queue[0]
            try:
                keeper.send(self._socket, message, descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._flush)
                return
            except OSError:
                self.close()
                return
            self._queue.popleft()
            _close_all(descriptors)
        self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        try:
            found = keeper.receive(self._socket)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            found = None
        if found is None:
            self.close()
            return
        message, descriptors = found
        if "news" in message:
            self._news(message)
            return
        named = dict(zip(message.get("fds", ()), descriptors, strict=False))
        answer = self._waiting.get(message["n"])
        if answer is None or answer.done():
            _close_all(descriptors)
        elif "error" in message:
            answer.set_exception(_error(message))
        else:
            answer.set_result((message["ok"], named))

    def close(self) -> None:
        """Ends the connection; who still waits learns that it is lost."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        for _message, descriptors in self._queue:
            _close_all(descriptors)
        self._queue.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkLost("the keeper went away"))
        self._lost()


def _error(message: Message) -> LadingError:
    if message["kind"] == "runtime":
        return RuntimeFailed(message["error"], message["code"])
    return _KINDS[message["kind"]](message["error"])


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def connect(path: str) -> socket.socket:
    """Connects to a keeper's socket. Raises OSError where nobody listens."""
    return connect_companion(path, socket.SOCK_SEQPACKET)
