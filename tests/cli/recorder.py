"""A stand-in engine that writes down what a client asks of it and answers from a script."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

CONTAINER_ID = "ab" * 32


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    version: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """What the engine says.

    A status and a body; with `pieces` a body that comes in chunks after its
    head; with `talk` a conversation on the bare socket.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    talk: Callable[[socket.socket], None] | None = None
    pieces: Callable[[], Iterator[bytes]] | None = None


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def refusal(status: int, message: str) -> Answer:
    return as_json({"message": message}, status)


def framed(*pieces: tuple[int, bytes]) -> bytes:
    """The multiplexed stream: an eight-byte head before each piece (Engine API, "Attach to a container")."""
    return b"".join(bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data for stream, data in pieces)


class Recorder:
    """Listens on a UNIX socket; `answers` maps "METHOD /path" to an Answer or to a function of the Call."""

    def __init__(self, directory: Path, api_version: str = "1.50") -> None:
        self.path = directory / "engine.sock"
        self.host = f"unix://{self.path}"
        self.api_version = api_version
        self.calls: list[Call] = []
        self.answers: dict[str, Answer | Callable[[Call], Answer]] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # A thread left in accept would hold a descriptor that nobody sees, each beyond the last.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def take(self) -> list[Call]:
        """The calls so far, without the pings; forgets them."""
        calls, self.calls = self.calls, []
        return [call for call in calls if call.path != "/_ping"]

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            stream = peer.makefile("rb")
            while call := _read_call(stream):
                self.calls.append(call)
                answer = self._answer(call)
                if not _send(peer, call, answer):
                    return

    def _answer(self, call: Call) -> Answer:
        if call.path == "/_ping":
            return Answer(200, b"OK", {"Api-Version": self.api_version, "Ostype": "linux"})
        answer = self.answers.get(f"{call.method} {call.path}") or DEFAULTS.get(f"{call.method} {call.path}")
        if answer is None:
            return refusal(404, f"no script for {call.method} {call.path}")
        return answer if isinstance(answer, Answer) else answer(call)


DEFAULTS = {
    "POST /containers/create": as_json({"Id": CONTAINER_ID, "Warnings": []}, 201),
    f"POST /containers/{CONTAINER_ID}/start": Answer(204),
}


def _read_call(stream: Any) -> Call | None:
    line = stream.readline().decode()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while (head := stream.readline().decode().strip()) != "":
        name, _, value = head.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(stream))
    else:
        body = stream.read(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    version, path = "", parts.path
    if path.startswith("/v1."):
        version, _, path = path[2:].partition("/")
        path = "/" + path
    return Call(method, version, unquote(path), parse_qs(parts.query, keep_blank_values=True), headers, body)


def _chunks(stream: Any) -> Iterator[bytes]:
    while length := int(stream.readline(), 16):
        yield stream.read(length)
        stream.readline()
    stream.readline()


def _send(peer: socket.socket, call: Call, answer: Answer) -> bool:
    if answer.talk is not None:
        peer.sendall(
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        answer.talk(peer)
        return False
    if answer.pieces is not None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in answer.pieces():
            peer.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        peer.sendall(b"0\r\n\r\n")
        return True
    head = f"HTTP/1.1 {answer.status} Status\r\nContent-Length: {len(answer.body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    peer.sendall(head.encode() + b"\r\n" + (b"" if call.method == "HEAD" else answer.body))
    return True
