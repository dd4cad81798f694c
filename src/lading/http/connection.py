"""One client connection: requests in, responses out, one at a time."""

import asyncio
import json
import logging
import select
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import cast

from lading.errors import InvalidParameter, LadingError
from lading.http.body import HIGH_WATER, BodyQueue, ChunkedBody, FixedBody
from lading.http.head import END, LONGEST, Head, parse_head
from lading.http.hijack import Hijacked
from lading.http.messages import Peer, Request, Response, head

_log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response | None]]
"""Answers a request; None where it has hijacked the connection."""

WATCH = 1.0
"""Seconds between looks at a client that has closed its output."""

LINGER = 2.0
"""Seconds a client may go on sending a body nobody wants before it is cut off."""

_BODILESS = (204, 304)
_CREDENTIALS = struct.Struct("iII")


class Connection(asyncio.Protocol):
    """Reads requests, runs the handler, writes responses.

    The handler is cancelled when its client goes away, unless it has hijacked
    the connection.
    """

    def __init__(self, handler: Handler, live: "set[Connection]") -> None:
        self._handler = handler
        self._live = live
        self._transport: asyncio.Transport
        self._buffer = b""
        self._searched = 0
        self._body: FixedBody | ChunkedBody | None = None
        self._queue: BodyQueue | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._state = "open"
        self._closing = False
        self._input_ended = False

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._live.add(self)

    def data_received(self, data: bytes) -> None:
        if self._state == "lingering":
            return
        self._buffer = self._buffer + data if self._buffer else data
        self._advance()

    def eof_received(self) -> bool:
        # A client may only have closed its output, as `nc -N` does. Over a UNIX socket that can be
        # told from leaving; elsewhere it cannot, and a handler must not go on for nobody.
        if self._task is None or self._body is None or not self._body.complete or self._has_left():
            return False
        if not self._input_ended:
            self._input_ended = True
            self._watch()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._live.discard(self)
        if self._queue is not None:
            self._queue.end(InvalidParameter("unexpected EOF"))
        if self._task is not None and self._state != "hijacked":
            self._task.cancel()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _has_left(self) -> bool:
        """Whether the client has closed both directions, as far as that shows."""
        end = self._transport.get_extra_info("socket")
        if end is None or end.family != socket.AF_UNIX:
            return True
        poll = select.poll()
        poll.register(end.fileno(), 0)
        return bool(poll.poll(0))

    def _watch(self) -> None:
        """After the end of input, no event would tell that the client has left."""
        if self._state != "open" or self._transport.is_closing():
            return
        if self._has_left():
            self._transport.abort()
        else:
            asyncio.get_running_loop().call_later(WATCH, self._watch)

    # --- what the server calls

    def shut(self) -> None:
        """Closes at once if idle, else after the response under way."""
        self._closing = True
        if self._task is None and self._state == "open":
            self._transport.close()

    def cut(self) -> None:
        """Closes at once, whatever is under way."""
        self._transport.abort()

    # --- requests

    def _advance(self) -> None:
        while self._state == "open":
            if self._body is not None and not self._body.complete:
                if not self._buffer or not self._take_body():
                    return
            elif self._task is not None:
                if len(self._buffer) > HIGH_WATER:
                    self._transport.pause_reading()
                return
            elif not self._take_head():
                return

    def _take_body(self) -> bool:
        assert self._body is not None
        assert self._queue is not None
        try:
            pieces, self._buffer = self._body.feed(self._buffer)
        except InvalidParameter as error:
            self._queue.end(error)
            self._closing = True
            self._state = "lingering"
            return False
        for piece in pieces:
            self._queue.put(piece)
        if self._body.complete:
            self._queue.end()
        return True

    def _take_head(self) -> bool:
        if self._searched == 0:
            self._buffer = self._buffer.lstrip(b"\r\n")
        end = self._buffer.find(END, max(self._searched - len(END), 0))
        if end > LONGEST or (end < 0 and len(self._buffer) > LONGEST):
            self._refuse(431, "the request's header is too large")
            return False
        if end < 0:
            self._searched = len(self._buffer)
            return False
        self._searched = 0
        raw, self._buffer = self._buffer[: end + len(END)], self._buffer[end + len(END) :]
        try:
            request_head = parse_head(raw)
        except LadingError as error:
            self._refuse(error.status, error.message)
            return False
        self._body = request_head.body
        self._queue = BodyQueue(self._throttle, lambda: self._continue(request_head))
        if self._body.complete:
            self._queue.end()
        request = Request(
            request_head.method,
            request_head.target,
            request_head.headers,
            self._queue,
            self._hijack,
            self._peer,
        )
        self._task = asyncio.get_running_loop().create_task(self._serve(request, request_head))
        return True

    def _continue(self, request_head: Head) -> None:
        assert self._body is not None
        if not self._body.complete and request_head.headers.has_token("expect", "100-continue"):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _throttle(self, stop: bool) -> None:
        if stop:
            self._transport.pause_reading()
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _refuse(self, status: int, message: str) -> None:
        body = json.dumps({"message": message}).encode()
        self._transport.write(_plain_head(status, body) + body)
        self._linger(sending=True)

    # --- responses

    async def _serve(self, request: Request, request_head: Head) -> None:
        try:
            response = await self._handler(request)
        except asyncio.CancelledError:
            self._transport.abort()
            raise
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            response = _failure()
        if self._state == "hijacked":
            if response is not None:
                # Nobody is left to read an answer. What the handler had passed on lives its own life.
                self._transport.abort()
            return
        try:
            await self._respond(request, request_head, response or _failure())
        except Exception:
            # The head is out: the only honest sign of a broken body is a broken connection.
            _log.exception("%s %s broke off", request.method, request.path)
            self._transport.abort()

    async def _respond(self, request: Request, request_head: Head, response: Response) -> None:
        received = self._body is not None and self._body.complete
        bounded = request_head.takes_chunks or isinstance(response.body, bytes)
        keep = request_head.keep_alive and received and bounded and not self._closing
        fields = list(response.fields)
        if response.content_type:
            fields.append(("Content-Type", response.content_type))
        if not keep:
            fields.append(("Connection", "close"))
        elif not request_head.takes_chunks:
            fields.append(("Connection", "keep-alive"))
        if isinstance(response.body, bytes):
            self._write_whole(request, response.status, fields, response.body)
        else:
            await self._write_pieces(
                request, response.status, fields, response.body, request_head.takes_chunks
            )
        await self._drain()
        if keep:
            self._task = self._body = self._queue = None
            self._throttle(False)
            self._advance()
            if self._input_ended and self._task is None and self._state == "open":
                self._transport.close()
        else:
            self._linger(sending=not received)

    def _write_whole(self, request: Request, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        if status not in _BODILESS:
            fields.append(("Content-Length", str(len(body))))
        if request.method == "HEAD" or status in _BODILESS:
            body = b""
        self._transport.write(head(status, fields) + body)

    async def _write_pieces(
        self,
        request: Request,
        status: int,
        fields: list[tuple[str, str]],
        body: AsyncIterator[bytes],
        chunked: bool,
    ) -> None:
        try:
            if chunked:
                fields.append(("Transfer-Encoding", "chunked"))
            # At once: a client may wait for this head before it does what the first piece waits for.
            self._transport.write(head(status, fields))
            if request.method == "HEAD":
                return
            async for piece in body:
                if piece:
                    self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                    await self._drain()
            if chunked:
                self._transport.write(b"0\r\n\r\n")
        finally:
            # What the pieces come from is let go now, not when the collector comes by.
            if isinstance(body, AsyncGenerator):
                await body.aclose()

    async def _drain(self) -> None:
        if self._writable is not None:
            await self._writable

    def _linger(self, *, sending: bool) -> None:
        """Closes so that a client still sending gets to read the answer.

        To close while there is unread input would reset the connection, and the answer with it.
        """
        self._state = "lingering"
        self._buffer = b""
        self._throttle(False)
        if not sending:
            self._transport.close()
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER, self._transport.close)

    def _peer(self) -> Peer:
        address = self._transport.get_extra_info("peername")
        if isinstance(address, tuple):
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            name = self._transport.get_extra_info("common_name", "")
            return Peer(address=f"{host}:{address[1]}", common_name=name)
        end = cast("socket.socket", self._transport.get_extra_info("socket"))
        credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        process, user, group = _CREDENTIALS.unpack(credentials)
        return Peer(process=process, user=user, group=group)

    # --- hijacking

    async def _hijack(self, start: bytes) -> Hijacked:
        self._transport.set_write_buffer_limits(high=0)
        self._transport.write(start)
        await self._drain()
        self._state = "hijacked"
        self._live.discard(self)
        self._transport.pause_reading()
        early, self._buffer = self._buffer, b""
        return Hijacked(self._transport, early)


def _plain_head(status: int, body: bytes) -> bytes:
    fields = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    return head(status, fields)


def _failure() -> Response:
    body = json.dumps({"message": "the engine failed at this; its log says more"}).encode()
    return Response(500, body, content_type="application/json")
