"""Requests and responses, seen from the client's end of a real connection."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator

import pytest
from tests.http.conftest import Serve
from tests.http.serving import chunks, get, post

from lading.errors import LadingError
from lading.http import Request, Response

MEBIBYTE = 1024 * 1024


async def echo(request: Request) -> Response:
    """Sends the body back, or says why it could not be read."""
    try:
        return Response(200, await request.body(64 * MEBIBYTE))
    except LadingError as error:
        return Response(error.status, error.message.encode())


def test_one_connection_carries_many_requests(serve: Serve) -> None:
    client, reader = serve(echo).connect()
    for number in range(20):
        body = b"%d" % number
        client.send(post("/", body))
        assert reader.answer().body == body


def test_requests_sent_ahead_are_answered_in_their_order(serve: Serve) -> None:
    client, reader = serve(echo).connect()
    bodies = [b"body %d" % number * number for number in range(100)]
    client.send(b"".join(post("/", body) for body in bodies))
    assert [reader.answer().body for _ in bodies] == bodies


def test_bodies_come_whole_in_both_framings(serve: Serve) -> None:
    service = serve(echo)
    body = os.urandom(5 * MEBIBYTE)
    assert service.ask(post("/", body)).body == body
    pieces = [body[start : start + 70_000] for start in range(0, len(body), 70_000)]
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    assert service.ask(head + chunks(*pieces) + b"0\r\nTrailer: x\r\n\r\n").body == body


def test_a_request_is_decoded(serve_unix: Serve) -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    answer = serve_unix(handler).ask(get("/images/a%2Fb/json?all=1&x=a%20b&x=&y", "X-Many: 1", "x-many: 2"))
    assert (answer.status, answer.body) == (204, b"")
    assert (seen[0].method, seen[0].path, seen[0].raw_path) == (
        "GET",
        "/images/a/b/json",
        "/images/a%2Fb/json",
    )
    assert seen[0].query == {"all": ["1"], "x": ["a b", ""], "y": [""]}
    assert seen[0].headers.all("X-MANY") == ["1", "2"]
    assert (seen[0].peer.process, seen[0].peer.user) == (os.getpid(), os.getuid())


def test_a_proxys_absolute_target_means_its_path(serve_unix: Serve) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, f"{request.path} {request.raw_query}".encode())

    service = serve_unix(handler)
    assert service.ask(get("http://engine:2375/info?a=b")).body == b"/info a=b"
    assert service.ask(get("http://engine")).body == b"/ "


def test_head_is_answered_without_the_body(serve: Serve) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, b"OK", fields=[("Api-Version", "1.51")])

    client, reader = serve(handler).connect()
    for _ in range(2):
        client.send(get("/_ping", method="HEAD"))
        answer = reader.answer(to_head=True)
        assert (answer.fields["content-length"], answer.fields["api-version"]) == ("2", "1.51")
    assert reader.rest == b""


def test_a_client_that_waits_for_100_is_told_once_the_body_is_wanted(serve: Serve) -> None:
    client, reader = serve(echo).connect()
    client.send(get("/", "Content-Length: 4", "Expect: 100-continue", method="POST"))
    assert reader.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"body")
    assert reader.answer().body == b"body"


def test_a_refused_body_is_not_asked_for(serve: Serve) -> None:
    async def handler(request: Request) -> Response:
        return Response(409, b"no")

    answer = serve(handler).ask(get("/", "Content-Length: 4", "Expect: 100-continue", method="POST"))
    assert (answer.status, answer.body, answer.fields["connection"]) == (409, b"no", "close")


def test_an_answer_given_before_the_body_was_sent_reaches_the_sender(serve: Serve) -> None:
    async def handler(request: Request) -> Response:
        return Response(400, b"not this")

    client, reader = serve(handler).connect()
    client.send(get("/", f"Content-Length: {8 * MEBIBYTE}", method="POST"))
    client.send(bytes(4 * MEBIBYTE))
    assert reader.answer().body == b"not this"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        get("/", "Content-Length: -1"),
        get("/", "Content-Length: 1e3"),
        get("/", "Content-Length: 99999999999999999999"),
        get("/", "Content-Length: 3", "Content-Length: 4"),
        get("/", "Content-Length: 3", "Transfer-Encoding: chunked"),
        get("/", "Transfer-Encoding: gzip, chunked"),
        get("/", "Transfer-Encoding: identity"),
        b"GET / HTTP/1.1\nHost: x\n\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_malformed_requests_get_a_json_error(serve_unix: Serve, request_bytes: bytes) -> None:
    asked: list[str] = []

    async def handler(request: Request) -> Response:
        asked.append(request.path)
        return Response()

    client, reader = serve_unix(handler).connect()
    client.send(request_bytes)
    answer = reader.answer()
    assert answer.status == 400
    assert "malformed HTTP request" in answer.message
    client.end_output()
    assert (reader.everything(), asked) == (b"", [])


def test_a_head_without_end_is_refused(serve: Serve) -> None:
    client, reader = serve(echo).connect()
    client.send(b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 300_000)
    answer = reader.answer()
    assert (answer.status, answer.message) == (431, "the request's header is too large")


def test_long_credentials_fit_into_a_head(serve_unix: Serve) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, str(len(request.headers.get("X-Registry-Config"))).encode())

    assert serve_unix(handler).ask(get("/", "X-Registry-Config: " + "x" * 100_000)).body == b"100000"


@pytest.mark.parametrize(
    "broken", [b"zz\r\n", b"5\r\nabcdefgh\r\n", b"-1\r\n", b"1" * 5000, b"fffffffffffffffff\r\n"]
)
def test_a_broken_chunk_is_the_clients_fault(serve_unix: Serve, broken: bytes) -> None:
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    answer = serve_unix(echo).ask(head + chunks(b"good") + broken)
    assert answer.status == 400
    assert answer.body.startswith(b"malformed chunked encoding")


def test_a_client_that_breaks_off_its_body_ends_the_handler(serve: Serve) -> None:
    ended = threading.Event()
    received: list[bytes] = []

    async def handler(request: Request) -> Response:
        try:
            async for piece in request.stream():
                received.append(piece)
        finally:
            ended.set()
        raise AssertionError("a truncated body passed for a whole one")

    client, reader = serve(handler).connect()
    client.send(get("/", "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST"))
    reader.until(b"\r\n\r\n")
    client.send(chunks(b"half of it"))
    client.close()
    assert ended.wait(10)
    assert b"".join(received) in (b"", b"half of it")


def test_a_client_that_vanishes_cancels_the_handler(serve: Serve) -> None:
    started, cancelled = threading.Event(), threading.Event()

    async def handler(request: Request) -> Response:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response()

    client, _ = serve(handler).connect()
    client.send(get("/"))
    assert started.wait(10)
    client.close()
    assert cancelled.wait(10)


def test_a_client_that_only_closed_its_output_gets_its_answers(serve_unix: Serve) -> None:
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return Response(200, request.path.encode())

    client, reader = serve_unix(handler).connect()
    client.send(get("/first") + get("/second"))
    client.end_output()
    assert [reader.answer().body, reader.answer().body] == [b"/first", b"/second"]
    assert reader.everything() == b""


def test_a_client_that_vanishes_after_closing_its_output_cancels_the_handler(serve_unix: Serve) -> None:
    started, cancelled = threading.Event(), threading.Event()

    async def handler(request: Request) -> Response:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Response()

    client, _ = serve_unix(handler).connect()
    client.send(get("/"))
    client.end_output()
    assert started.wait(10)
    assert not cancelled.wait(0.1)
    client.close()
    assert cancelled.wait(10)


def test_a_streams_source_is_let_go_when_its_client_vanishes(serve: Serve) -> None:
    let_go = threading.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            let_go.set()

    async def handler(request: Request) -> Response:
        return Response(200, pieces())

    client, reader = serve(handler).connect()
    client.send(get("/"))
    reader.head()
    assert reader.chunk() == b"first"
    client.close()
    assert let_go.wait(10)


def test_pieces_arrive_as_they_are_made(serve: Serve) -> None:
    signals: list[asyncio.Event] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await signals[number].wait()
            yield b"piece %d" % number

    async def handler(request: Request) -> Response:
        signals.extend(asyncio.Event() for _ in range(3))
        return Response(200, pieces())

    service = serve(handler)

    async def signal(number: int) -> None:
        signals[number].set()

    client, reader = service.connect()
    client.send(get("/"))
    assert reader.head().fields["transfer-encoding"] == "chunked"
    for number in range(3):
        service.run(signal(number))
        assert reader.chunk() == b"piece %d" % number
    assert reader.chunk() == b""
    assert reader.rest == b""


def test_a_slow_reader_slows_the_source_down(serve: Serve) -> None:
    total, made = 64, 0
    piece = os.urandom(MEBIBYTE)
    stalled = threading.Event()

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(total):
            made += 1
            asyncio.get_running_loop().call_later(0.3, check, made)
            yield piece

    def check(before: int) -> None:
        if made == before:
            stalled.set()

    async def handler(request: Request) -> Response:
        return Response(200, pieces())

    client, reader = serve(handler).connect()
    client.send(get("/"))
    reader.head()
    assert stalled.wait(20)
    assert made < 16
    for _ in range(total):
        assert reader.chunk() == piece
    assert reader.chunk() == b""


def test_a_slow_handler_slows_the_sender_down(serve: Serve) -> None:
    total = 64 * MEBIBYTE
    go_on: list[asyncio.Event] = []

    async def handler(request: Request) -> Response:
        go_on.append(asyncio.Event())
        await go_on[0].wait()
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return Response(200, str(size).encode())

    service = serve(handler)
    client, reader = service.connect()
    client.send(get("/", f"Content-Length: {total}", method="POST"))
    sent, stalled = 0, threading.Event()

    def send() -> None:
        nonlocal sent
        for _ in range(total // 65536):
            client.send(bytes(65536))
            sent += 65536

    sender = threading.Thread(target=send)
    sender.start()
    before = -1
    while sent != before:
        before = sent
        stalled.wait(0.3)
    assert sent < 24 * MEBIBYTE

    async def release() -> None:
        go_on[0].set()

    service.run(release())
    sender.join(60)
    assert reader.answer().body == str(total).encode()


def test_a_client_of_http_1_0_gets_a_stream_without_chunks(serve: Serve) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def handler(request: Request) -> Response:
        return Response(200, pieces() if request.path == "/stream" else b"whole")

    service = serve(handler)
    answer = service.ask(get("/stream", "Connection: keep-alive", version="1.0"))
    assert answer.body == b"one two"
    assert "transfer-encoding" not in answer.fields
    client, reader = service.connect()
    for _ in range(2):
        client.send(get("/", "Connection: keep-alive", version="1.0"))
        answer = reader.answer()
        assert (answer.body, answer.fields["connection"]) == (b"whole", "keep-alive")


def test_a_bug_is_told_to_the_log_and_not_to_the_client(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: Request) -> Response:
        raise ZeroDivisionError("a secret detail")

    with caplog.at_level(logging.ERROR):
        answer = serve(handler).ask(get("/x"))
    assert answer.status == 500
    assert answer.message == "the engine failed at this; its log says more"
    assert "a secret detail" in caplog.text


def test_a_stream_that_fails_half_way_does_not_look_complete(serve: Serve) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    async def handler(request: Request) -> Response:
        return Response(200, pieces())

    client, reader = serve(handler).connect()
    client.send(get("/"))
    reader.head()
    assert reader.chunk() == b"first"
    with pytest.raises((AssertionError, OSError)):
        reader.chunk()


def test_closing_lets_a_request_finish_and_takes_no_more(serve_unix: Serve) -> None:
    started = threading.Event()
    go_on: list[asyncio.Event] = []

    async def handler(request: Request) -> Response:
        go_on.append(asyncio.Event())
        started.set()
        await go_on[0].wait()
        return Response(200, b"done")

    service = serve_unix(handler)
    _, idle_reader = service.connect()
    client, reader = service.connect()
    client.send(get("/"))
    assert started.wait(10)

    async def close() -> None:
        asyncio.get_running_loop().call_later(0.1, go_on[0].set)
        await service.server.close(20)

    service.run(close())
    assert not service.path.exists()
    assert idle_reader.everything() == b""
    answer = reader.answer()
    assert (answer.body, answer.fields["connection"]) == (b"done", "close")
    with pytest.raises(OSError):
        service.connect_socket()


def test_closing_cuts_off_who_does_not_finish(serve: Serve) -> None:
    started = threading.Event()

    async def handler(request: Request) -> Response:
        started.set()
        await asyncio.Event().wait()
        return Response()

    service = serve(handler)
    client, _ = service.connect()
    client.send(get("/"))
    assert started.wait(10)
    service.run(service.server.close(0.1))
    try:
        assert client.receive() == b""
    except OSError:
        pass  # a reset tells the same
