"""The first line of hijacked streams, and errors after the status is out."""

import json

import pytest

from lading.api import encode
from lading.api.router import Call
from lading.errors import NotFound, Unauthorized
from lading.http import Headers, Request


def _call(version: tuple[int, int], **fields: str) -> Call:
    async def no_hijack(head: bytes) -> None: ...

    request = Request("POST", "/", Headers(fields.items()), None, no_hijack, None)  # type: ignore[arg-type]
    return Call(request, {}, version)


@pytest.mark.parametrize(
    ("version", "tty", "kind"),
    [
        ((1, 51), False, "multiplexed"),
        ((1, 42), False, "multiplexed"),
        ((1, 41), False, "raw"),
        ((1, 51), True, "raw"),
    ],
)
def test_a_stream_is_announced_as_what_it_is(version: tuple[int, int], tty: bool, kind: str) -> None:
    assert encode.stream_head(_call(version, Upgrade="tcp", Connection="Upgrade"), tty=tty) == (
        b"HTTP/1.1 101 UPGRADED\r\n"
        b"Content-Type: application/vnd.docker.%b-stream\r\n"
        b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n" % kind.encode()
    )
    assert encode.stream_head(_call(version), tty=tty) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.%b-stream\r\n\r\n" % kind.encode()
    )


def test_a_stream_that_fails_ends_with_the_error() -> None:
    line = encode.progress_error(NotFound("no such layer"))
    assert line.endswith(b"\r\n")
    assert json.loads(line) == {
        "errorDetail": {"code": 404, "message": "no such layer"},
        "error": "no such layer",
    }


def test_errors_give_terminals_no_commands() -> None:
    problem = NotFound("denied: \x1b[2J\x9b1mno\r\tsuch\nimage\x07")
    expected = "denied: \ufffd[2J\ufffd1mno\ufffd\tsuch\nimage\ufffd"
    body = encode.error(problem).body
    assert isinstance(body, bytes)
    assert json.loads(body) == {"message": expected}
    assert json.loads(encode.progress_error(problem))["error"] == expected


def test_who_is_not_known_gets_the_message() -> None:
    detail = json.loads(encode.progress_error(Unauthorized("no basic auth credentials")))["errorDetail"]
    assert detail == {"message": "no basic auth credentials"}
