"""Answers: JSON bodies, errors, and the first lines of hijacked streams."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeVar

import msgspec

from lading.api.router import Call
from lading.errors import LadingError
from lading.http import Response

CLOSED_JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
"""Before a JSON document whose end is the end of the connection."""

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_MULTIPLEXED_SINCE = (1, 42)
_CONTROL = dict.fromkeys({*range(32), *range(127, 160)} - {ord("\t"), ord("\n")}, "\N{REPLACEMENT CHARACTER}")


def no_content() -> Response:
    """Done, and nothing to say."""
    return Response(204)


def json(value: Any, status: int = 200) -> Response:
    """One JSON document, with the line end docker's encoder writes."""
    return Response(status, _encoder.encode(value) + b"\n", content_type="application/json")


def json_line(value: Any, end: bytes = b"\n") -> bytes:
    """One line of a JSON stream."""
    return _encoder.encode(value) + end


async def stream(source: AsyncIterator[T], encoded: Callable[[T], bytes]) -> AsyncIterator[bytes]:
    """Each item as it comes, encoded. The source is let go of together with the stream."""
    try:
        async for item in source:
            yield encoded(item)
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


def error(problem: LadingError) -> Response:
    """The error body every client understands: `{"message": …}`."""
    if problem.status == 304:
        return Response(304)
    return json({"message": _shown(problem)}, problem.status)


def _shown(problem: LadingError) -> str:
    # It may quote what is no Unicode: a name from an archive, or half a character from JSON.
    text = problem.message.encode(errors="replace").decode()
    # It may quote what a registry says, and clients show it on a terminal, which obeys.
    return text.translate(_CONTROL)


async def progress(messages: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    """Messages of something under way as a stream; a failure is the last of them."""
    try:
        async for message in messages:
            yield json_line(message, b"\r\n")
    except LadingError as problem:
        yield progress_error(problem)
    finally:
        if isinstance(messages, AsyncGenerator):
            await messages.aclose()


def progress_error(problem: LadingError) -> bytes:
    """How a stream whose status is already out says that it failed."""
    detail = {"code": problem.status, "message": _shown(problem)}
    if problem.status == 401:
        # For this one clients before version 28 show words of their own in place of the message.
        del detail["code"]
    return json_line({"errorDetail": detail, "error": _shown(problem)}, b"\r\n")


def stream_head(call: Call, *, tty: bool) -> bytes:
    """Status line and fields before a raw or multiplexed stream (Engine API, ContainerAttach)."""
    multiplexed = not tty and call.version >= _MULTIPLEXED_SINCE
    kind = "multiplexed" if multiplexed else "raw"
    content_type = f"Content-Type: application/vnd.docker.{kind}-stream\r\n"
    if call.request.headers.get("upgrade"):
        return f"HTTP/1.1 101 UPGRADED\r\n{content_type}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode()
    return f"HTTP/1.1 200 OK\r\n{content_type}\r\n".encode()
