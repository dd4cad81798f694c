"""The client's HTTP: bodies in every framing, torn answers, TLS with both directions closed on their own."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lading.client import (
    Address,
    ApiError,
    Channel,
    Client,
    ConnectionFailed,
    ConnectionLost,
    TlsFiles,
    parse_address,
)

Serve = Callable[[socket.socket], None]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[[Serve], Client]]:
    """Starts a bare server whose connections are all handled by one function."""
    listeners = []

    def start(serve: Serve) -> Client:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    serve(peer)

        threading.Thread(target=accept, daemon=True).start()
        return Client(Address("test", path=str(tmp_path / "s")), api_version="1.51")

    yield start
    for listener in listeners:
        listener.close()


def answers(*raw: bytes) -> Serve:
    def serve(peer: socket.socket) -> None:
        for one in raw:
            peer.recv(65536)
            for start in range(0, len(one), 7):
                peer.sendall(one[start : start + 7])

    return serve


def test_bodies_in_every_framing(engine: Callable[[Serve], Client]) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    client = engine(
        answers(
            head + b"Content-Length: 9\r\n\r\n" + b'{"a": 1}\n',
            head + b'Transfer-Encoding: chunked\r\n\r\n4;x=y\r\n{"a"\r\n4\r\n: 2}\r\n0\r\nTrailer: x\r\n\r\n',
            b"HTTP/1.1 204 No Content\r\n\r\n",
            head + b'\r\n{"a": 3}',
        )
    )
    assert client.get("/x") == {"a": 1}
    assert client.get("/x") == {"a": 2}
    assert client.call("POST", "/x").status == 204
    assert client.get("/x") == {"a": 3}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n12",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{]}",
    ],
)
def test_torn_answers_are_lost_connections(raw: bytes, engine: Callable[[Serve], Client]) -> None:
    client = engine(answers(raw))
    with pytest.raises(ConnectionLost):
        client.get("/x")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"no such thing"}', "no such thing"),
        (b"plain words\n", "plain words"),
        (b"", "404 Not Found"),
    ],
)
def test_refusals_carry_the_engines_words(
    body: bytes, message: str, engine: Callable[[Serve], Client]
) -> None:
    client = engine(answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    with pytest.raises(ApiError) as raised:
        client.get("/x")
    assert (raised.value.status, raised.value.message) == (404, message)


def test_a_closed_idle_connection_is_replaced(engine: Callable[[Serve], Client]) -> None:
    client = engine(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    assert client.get("/x") == {}
    assert client.get("/x") == {}


def test_names_are_quoted_in_paths_and_queries(engine: Callable[[Serve], Client]) -> None:
    asked: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        asked.append(peer.recv(65536))
        peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    engine(serve).call("POST", "/images/a b?c/é/tag", [("repo", "x&y=z/w")])
    assert asked[0].startswith(b"POST /v1.51/images/a%20b%3Fc/%C3%A9/tag?repo=x%26y%3Dz%2Fw HTTP/1.1\r\n")


def test_a_refused_upload_shows_the_reason(engine: Callable[[Serve], Client]) -> None:
    """The engine answers and closes before it has read the body."""

    def serve(peer: socket.socket) -> None:
        peer.recv(1000)
        body = b'{"message":"no space left"}'
        peer.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536):
            pass

    client = engine(serve)
    with pytest.raises(ApiError, match="no space left"):
        client.upload("/images/load", (), (b"x" * 100_000 for _ in range(50)))


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match="Is ladingd running") as raised:
        Client(Address("unix:///x", path=str(tmp_path / "none"))).ping()
    assert raised.value.absent


# --- TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", directory / "key.pem", "-out", directory / "cert.pem", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return directory


class HalfClosing:
    """A TLS server over memory buffers, which can go on sending after the client's close_notify."""

    def __init__(self, peer: socket.socket, certificates: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
        self.peer, self.inside, self.outside = peer, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.inside, self.outside, server_side=True)
        self.step(self.tls.do_handshake)

    def step(self, deed: Callable[[], object]) -> object:
        while True:
            try:
                done = deed()
            except ssl.SSLWantReadError:
                self.flush()
                data = self.peer.recv(65536)
                self.inside.write(data) if data else self.inside.write_eof()
            except ssl.SSLZeroReturnError:
                return b""
            else:
                self.flush()
                return done

    def flush(self) -> None:
        self.peer.sendall(self.outside.read())

    def read(self) -> bytes:
        data = self.step(lambda: self.tls.read(65536))
        assert isinstance(data, bytes)
        return data

    def write(self, data: bytes) -> None:
        self.tls.write(data)
        self.flush()


def tls_client(port: int, files: TlsFiles) -> Client:
    return Client(parse_address(f"tcp://localhost:{port}", tls=True), files, "1.51")


def test_output_after_the_end_of_input_arrives_over_tls(certificates: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[int] = []

    def serve() -> None:
        peer, _ = listener.accept()
        server = HalfClosing(peer, certificates)
        server.read()
        server.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        for _ in range(5):
            server.write(b"x" * 10_000)
        total = 0
        while data := server.read():
            total += len(data)
        received.append(total)
        for _ in range(40):
            server.write(b"y" * 10_000)
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    files = TlsFiles(str(certificates / "cert.pem"), "", "", verify=True)
    channel = tls_client(listener.getsockname()[1], files).upgrade("/containers/x/attach")
    send_all(channel, b"x" * 2_000_000)
    output = b""
    while not output:
        # What has arrived but was not asked for yet must outlive the end of our side.
        output = channel.receive_now() or b""
    channel.close_write()
    while (data := channel.receive_now()) != b"":
        output += data or b""
    thread.join()
    listener.close()
    assert received == [2_000_000]
    assert output == b"x" * 50_000 + b"y" * 400_000


def send_all(channel: Channel, data: bytes) -> None:
    while data:
        data = data[channel.send_now(data) :]


@pytest.mark.parametrize("trusted", [False, True])
def test_a_certificate_that_does_not_verify_is_refused(trusted: bool, certificates: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            try:
                server = HalfClosing(peer, certificates)
                server.read()
                server.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            except (ssl.SSLError, OSError):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    client = tls_client(listener.getsockname()[1], TlsFiles("", "", "", verify=not trusted))
    if trusted:
        assert client.get("/x") == {}
    else:
        with pytest.raises(ConnectionFailed, match=r"TLS failed: .*self[- ]signed"):
            client.get("/x")
    thread.join()
    listener.close()
