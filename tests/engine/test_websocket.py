"""Attaching to containers by WebSocket, as browsers and consoles do."""

import base64
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_ALL = "stream=1&stdin=1&stdout=1&stderr=1"


class Client:
    """A WebSocket client of the test's own."""

    def __init__(self, connection: socket.socket, path: str) -> None:
        self.socket = connection
        self.socket.settimeout(15)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.stream = self.socket.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def send(self, kind: int, data: bytes) -> None:
        mask = os.urandom(4)
        length = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self.socket.sendall(bytes((0x80 | kind,)) + length + mask + masked)

    def receive(self) -> tuple[int, bytes]:
        """One frame; a connection that ended is a close without a reason."""
        head = self.stream.read(2)
        if len(head) < 2:
            return _CLOSE, b""
        length = head[1]
        if length >= 126:
            length = int.from_bytes(self.stream.read(2 if length == 126 else 8), "big")
        return head[0] & 0x0F, self.stream.read(length)

    def until_closed(self) -> tuple[bytes, bytes]:
        """All data, and the reason of the end."""
        found = b""
        while True:
            kind, data = self.receive()
            if kind == _CLOSE:
                return found, data
            found += data


@contextmanager
def _attached(engine: Engine, name: str, query: str = _ALL, version: str = "/v1.51") -> Iterator[Client]:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(engine.socket))
    client = Client(connection, f"{version}/containers/{name}/attach/ws?{query}")
    try:
        yield client
    finally:
        client.stream.close()
        client.socket.close()


def _create(engine: Engine, name: str, *words: str, flags: tuple[str, ...] = ("-i",)) -> None:
    engine.docker("create", "--name", name, *flags, IMAGE, *words)


@pytest.mark.parametrize("flags", [("-i",), ("-i", "-t")])
def test_words_go_in_and_come_out(engine: Engine, flags: tuple[str, ...]) -> None:
    _create(engine, "echo", "sh", "-c", "read a; echo got $a; echo oops >&2; exit 3", flags=flags)
    with _attached(engine, "echo") as client:
        assert client.status == 101
        engine.docker("start", "echo")
        client.send(_BINARY, b"hel")
        client.send(_TEXT, b"lo\n")
        said, reason = client.until_closed()
        assert b"got hello" in said
        assert b"oops" in said
        # Not multiplexed: no heads between.
        assert b"\0\0\0" not in said
        assert reason == struct.pack(">H", 1000)
    wait_for(lambda: engine.get("/containers/echo/json")["State"]["ExitCode"] == 3)


def test_megabytes_pass_through(engine: Engine) -> None:
    _create(engine, "much", "sh", "-c", "head -c 5000000 /dev/zero", flags=())
    with _attached(engine, "much") as client:
        engine.docker("start", "much")
        said, _ = client.until_closed()
    assert said == bytes(5_000_000)


def test_over_tls(new_engine: Callable[..., Engine], certificates: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    engine = new_engine(
        *("-H", f"tcp://127.0.0.1:{port}", "--tlsverify", f"--tlscacert={certificates}/ca.pem"),
        *(f"--tlscert={certificates}/server.pem", f"--tlskey={certificates}/server.key"),
    )
    _create(engine, "secret", "sh", "-c", "read a; head -c 3000000 /dev/zero; echo got $a")
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    plain = socket.create_connection(("127.0.0.1", port))
    client = Client(
        context.wrap_socket(plain, server_hostname="localhost"), f"/containers/secret/attach/ws?{_ALL}"
    )
    engine.docker("start", "secret")
    client.send(_BINARY, b"word\n")
    said, _ = client.until_closed()
    assert said == bytes(3_000_000) + b"got word\n"
    client.stream.close()
    client.socket.close()


def test_frames_are_binary_but_for_old_clients(engine: Engine) -> None:
    _create(engine, "kind", "sh", "-c", "echo x; read a")
    engine.docker("start", "kind")
    wait_for(lambda: engine.docker("logs", "kind").stdout)
    for version, kind in (("/v1.51", _BINARY), ("/v1.28", _BINARY), ("/v1.27", _TEXT)):
        with _attached(engine, "kind", "logs=1&stream=1&stdout=1", version) as client:
            assert client.receive() == (kind, b"x\n")


def test_pings_are_answered_and_closing_leaves_the_container(engine: Engine) -> None:
    _create(engine, "stays", "sh", "-c", "read a; sleep 100")
    engine.docker("start", "stays")
    with _attached(engine, "stays") as client:
        client.send(_PING, b"there?")
        assert client.receive() == (_PONG, b"there?")
        client.send(_CLOSE, struct.pack(">H", 1001))
        assert client.receive() == (_CLOSE, struct.pack(">H", 1001))
        assert client.receive() == (_CLOSE, b"")
    assert engine.get("/containers/stays/json")["State"]["Running"]
    with _attached(engine, "stays") as client:
        client.socket.sendall(b"\x81\x01x")
        assert client.receive() == (_CLOSE, struct.pack(">H", 1002))
    assert engine.get("/containers/stays/json")["State"]["Running"]


def test_detach_keys(engine: Engine) -> None:
    _create(engine, "keys", "sh", "-c", "sleep 100", flags=("-i", "-t"))
    engine.docker("start", "keys")
    with _attached(engine, "keys", _ALL + "&detachKeys=ctrl-a") as client:
        client.send(_BINARY, b"\x01")
        client.until_closed()
    assert wait_for(lambda: engine.get("/containers/keys/json")["State"]["Running"])


def test_what_is_no_websocket(engine: Engine) -> None:
    _create(engine, "plain", "true")
    status, refused = engine.api("GET", f"/containers/plain/attach/ws?{_ALL}")
    assert status == 400
    assert "websocket" in refused["message"]
    assert engine.api("GET", f"/containers/nosuch/attach/ws?{_ALL}")[0] == 404
