"""Connections taken out of HTTP: nothing lost, each direction closed on its own."""

import array
import asyncio
import contextlib
import hashlib
import os
import socket
import threading

from tests.http.conftest import Serve
from tests.http.serving import Client, Reader, Service, get

from lading.http import Hijacked, Request, Response

MEBIBYTE = 1024 * 1024
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


class Taker:
    """A handler that hijacks every connection and leaves its socket to the test."""

    def __init__(self) -> None:
        self._taken = threading.Event()
        self.socket: socket.socket
        self.early = b""

    async def __call__(self, request: Request) -> Response | None:
        hijacked = await request.hijack(UPGRADED)
        self.socket, self.early = hijacked.take_socket()
        self.socket.setblocking(True)
        self.socket.settimeout(30)
        self._taken.set()
        return None

    def wait(self) -> socket.socket:
        """The far end of the connection, as another process would get it."""
        assert self._taken.wait(10)
        return self.socket


def open_stream(service: Service, early: bytes = b"") -> tuple[Client, Reader]:
    client, reader = service.connect()
    client.send(get("/attach", "Connection: Upgrade", "Upgrade: tcp", method="POST") + early)
    assert reader.until(b"\r\n\r\n") == UPGRADED
    return client, reader


def read_all(end: socket.socket, held: bytes = b"") -> bytes:
    pieces = [held]
    while piece := end.recv(MEBIBYTE):
        pieces.append(piece)
    return b"".join(pieces)


def test_32_mebibytes_come_back_after_the_client_has_closed_its_half(serve: Serve) -> None:
    taker = Taker()
    client, reader = open_stream(serve(taker))
    far = taker.wait()
    data = os.urandom(32 * MEBIBYTE)
    outcome: list[str] = []

    def cat() -> None:
        # Like `sort`: answers only once the input has ended.
        everything = read_all(far)
        far.sendall(everything)
        far.close()
        outcome.append(hashlib.sha256(everything).hexdigest())

    worker = threading.Thread(target=cat)
    worker.start()
    client.send(data)
    client.end_output()
    returned = reader.everything()
    worker.join(30)
    assert outcome == [hashlib.sha256(data).hexdigest()]
    assert hashlib.sha256(returned).hexdigest() == hashlib.sha256(data).hexdigest()


def test_32_mebibytes_echo_while_both_directions_are_busy(serve: Serve) -> None:
    taker = Taker()
    client, reader = open_stream(serve(taker))
    far = taker.wait()
    data = os.urandom(32 * MEBIBYTE)

    def echo() -> None:
        while piece := far.recv(65536):
            far.sendall(piece)
        far.close()

    def send() -> None:
        client.send(data)
        client.end_output()

    workers = [threading.Thread(target=echo), threading.Thread(target=send)]
    for worker in workers:
        worker.start()
    returned = reader.everything()
    for worker in workers:
        worker.join(30)
    assert hashlib.sha256(returned).hexdigest() == hashlib.sha256(data).hexdigest()


def test_input_goes_on_after_the_far_end_has_closed_its_output(serve: Serve) -> None:
    taker = Taker()
    client, reader = open_stream(serve(taker))
    far = taker.wait()
    far.sendall(b"all I have to say")
    far.shutdown(socket.SHUT_WR)
    assert reader.everything() == b"all I have to say"
    data = os.urandom(4 * MEBIBYTE)

    def send() -> None:
        client.send(data)
        client.end_output()

    sender = threading.Thread(target=send)
    sender.start()
    received = read_all(far)
    sender.join(30)
    assert received == data


def test_output_may_end_while_input_is_on_its_way(serve: Serve) -> None:
    """The far end closes its output with the client's data unread in every buffer between."""
    taker = Taker()
    client, reader = open_stream(serve(taker))
    far = taker.wait()
    data = os.urandom(8 * MEBIBYTE)
    sending = threading.Event()

    def send() -> None:
        client.send(data[:MEBIBYTE])
        sending.set()
        client.send(data[MEBIBYTE:])
        client.end_output()

    sender = threading.Thread(target=send)
    sender.start()
    held = b""
    while not sending.is_set():
        held += far.recv(65536)
    far.shutdown(socket.SHUT_WR)
    assert reader.everything() == b""
    received = read_all(far, held)
    sender.join(30)
    assert received == data


def test_what_the_client_sent_ahead_is_handed_over(serve: Serve) -> None:
    taker = Taker()
    client, _ = open_stream(serve(taker), early=b"typed ahead ")
    far = taker.wait()
    client.send(b"and after")
    client.end_output()
    assert read_all(far, taker.early) == b"typed ahead and after"


def test_what_is_taken_does_not_block_the_loop(serve: Serve) -> None:
    async def handler(request: Request) -> None:
        taken, _ = (await request.hijack(UPGRADED)).take_socket()
        with taken:
            # What blocks would hang the test's server with it, so it is not even tried.
            if not taken.getblocking():
                await asyncio.get_running_loop().sock_sendall(taken, bytes(4 * MEBIBYTE))

    _, reader = open_stream(serve(handler))
    assert len(reader.everything()) == 4 * MEBIBYTE


def test_the_socket_can_be_passed_to_another_process(serve: Serve) -> None:
    taker = Taker()
    client, reader = open_stream(serve(taker))
    far = taker.wait()
    ours, theirs = socket.socketpair()
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [far.fileno()]))])
    child = os.fork()
    if child == 0:
        _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
        os.dup2(descriptors[0], 0)
        os.dup2(descriptors[0], 1)
        os.set_blocking(0, True)
        os.closerange(3, 4096)
        os.execv("/usr/bin/tr", ["tr", "a-z", "A-Z"])
    far.close()
    client.send(b"through a child")
    client.end_output()
    assert reader.everything() == b"THROUGH A CHILD"
    assert os.waitpid(child, 0)[1] == 0


def test_a_handed_over_connection_outlives_the_server(serve_unix: Serve) -> None:
    taker = Taker()
    service = serve_unix(taker)
    client, reader = open_stream(service)
    far = taker.wait()
    service.run(service.server.close(0))
    client.send(b"still there?")
    assert far.recv(100) == b"still there?"
    far.sendall(b"yes")
    far.close()
    assert reader.everything() == b"yes"


def test_a_client_that_vanishes_is_seen_at_the_far_end(serve: Serve) -> None:
    taker = Taker()
    client, _ = open_stream(serve(taker))
    far = taker.wait()
    client.close()
    try:
        assert far.recv(100) == b""
    except ConnectionResetError:
        pass


def test_a_far_end_that_goes_away_is_seen_by_the_client(serve: Serve) -> None:
    taker = Taker()
    _, reader = open_stream(serve(taker))
    far = taker.wait()
    far.sendall(b"last words")
    far.close()
    assert reader.everything() == b"last words"


def test_a_slow_client_holds_the_far_end_back(serve: Serve) -> None:
    taker = Taker()
    _, reader = open_stream(serve(taker))
    far = taker.wait()
    far.settimeout(0.3)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 64 * MEBIBYTE:
            sent += far.send(bytes(65536))
    assert sent < 24 * MEBIBYTE
    far.close()
    assert len(reader.everything()) == sent


def test_a_slow_far_end_holds_the_client_back(serve: Serve) -> None:
    taker = Taker()
    client, _ = open_stream(serve(taker))
    far = taker.wait()
    sent, pause = 0, threading.Event()

    def send() -> None:
        nonlocal sent
        for _ in range(64 * MEBIBYTE // 65536):
            client.send(bytes(65536))
            sent += 65536
        client.end_output()

    sender = threading.Thread(target=send)
    sender.start()
    before = -1
    while sent != before:
        before = sent
        pause.wait(0.3)
    assert sent < 24 * MEBIBYTE
    assert len(read_all(far)) == 64 * MEBIBYTE
    sender.join(30)


def test_a_failure_after_hijacking_closes_the_connection(serve: Serve) -> None:
    kept: list[Hijacked] = []

    async def handler(request: Request) -> None:
        kept.append(await request.hijack(UPGRADED))
        raise ZeroDivisionError

    _, reader = open_stream(serve(handler))
    try:
        assert reader.everything() == b""
    except OSError:
        pass
