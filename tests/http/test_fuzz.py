"""Whatever bytes arrive, and however cut up, the server answers in order or refuses, and lives on."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.http.serving import Answer, PlainClient, Reader, Service, chunks, get, post

from lading.errors import LadingError
from lading.http import Request, Response


async def _handler(request: Request) -> Response:
    try:
        return Response(200, request.path.encode() + b" " + await request.body(10_000))
    except LadingError as error:
        return Response(error.status, error.message.encode())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Service]:
    service = Service("unix", tmp_path_factory.mktemp("fuzz"), certificates)
    service.start(_handler)
    yield service
    service.stop()


def _exchange(service: Service, pieces: list[bytes]) -> list[Answer]:
    """All answers to what is sent, until the server has no more to say."""
    with service.connect_socket() as connection:
        reader = Reader(PlainClient(connection))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in filter(None, pieces):
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            reader.rest = reader.everything()
        answers = []
        while reader.rest:
            answers.append(reader.answer())
        return answers


_body = st.binary(max_size=300)
_valid = st.one_of(
    st.sampled_from([get("/_ping"), get("/info?a=b"), get("/x", "A: b"), b"\r\n" + get("/y")]),
    _body.map(lambda body: post("/fixed", body)),
    st.lists(st.binary(min_size=1, max_size=60), max_size=4).map(
        lambda pieces: get("/c", "Transfer-Encoding: chunked", method="POST") + chunks(*pieces) + b"0\r\n\r\n"
    ),
)


@given(st.lists(_valid, min_size=1, max_size=5), st.lists(st.integers(1, 200), max_size=12))
@settings(deadline=None, max_examples=150)
def test_cutting_requests_up_changes_no_answer(
    service: Service, requests: list[bytes], cuts: list[int]
) -> None:
    wire = b"".join(requests) + get("/last", "Connection: close")
    pieces, at = [], 0
    for size in cuts:
        pieces.append(wire[at : at + size])
        at += size
    pieces.append(wire[at:])
    answers = _exchange(service, pieces)
    assert [answer.status for answer in answers] == [200] * (len(requests) + 1)
    assert answers[-1].body == b"/last "


_mutation = st.tuples(st.integers(0, 400), st.integers(0, 30), st.binary(max_size=30))


@given(_valid, st.lists(_mutation, min_size=1, max_size=4))
@settings(deadline=None, max_examples=250)
def test_damaged_requests_are_refused_or_understood(
    service: Service, request: bytes, mutations: list[tuple[int, int, bytes]]
) -> None:
    for at, length, replacement in mutations:
        request = request[:at] + replacement + request[at + length :]
    answers = _exchange(service, [request])
    assert {answer.status for answer in answers} <= {200, 400, 413, 431}


@given(st.lists(st.binary(max_size=200), max_size=6))
@settings(deadline=None, max_examples=100)
def test_noise_does_not_stop_the_server(service: Service, noise: list[bytes]) -> None:
    _exchange(service, noise)
    assert service.ask(get("/_ping", "Connection: close")).status == 200
