"""A server on a thread of its own, and clients that speak to it byte by byte."""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lading.http import Handler, Server, TlsFiles, listen_tcp, listen_unix

T = TypeVar("T")


class Client(Protocol):
    """What a test needs of a connection, with or without TLS."""

    def send(self, data: bytes) -> None: ...
    def receive(self) -> bytes: ...
    def end_output(self) -> None: ...
    def close(self) -> None: ...


class PlainClient:
    """A blocking connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> bytes:
        return self.socket.recv(256 * 1024)

    def end_output(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()


class TlsClient:
    """A blocking TLS connection that can close its output alone, as Go's does.

    The ssl module's own sockets cannot: their `unwrap` waits for the peer to close too.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self.socket = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._lock = threading.Lock()
        self._held = b""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.socket.sendall(self._outgoing.read())

    def _fill(self) -> None:
        data = self.socket.recv(64 * 1024)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def send(self, data: bytes) -> None:
        for start in range(0, len(data), 64 * 1024):
            with self._lock:
                self._tls.write(data[start : start + 64 * 1024])
                ready = self._outgoing.read()
            self.socket.sendall(ready)

    def receive(self) -> bytes:
        while True:
            try:
                with self._lock:
                    if self._held:
                        held, self._held = self._held, b""
                        return held
                    return self._tls.read(64 * 1024)
            except ssl.SSLWantReadError:
                self._fill()
            except ssl.SSLZeroReturnError:
                return b""

    def end_output(self) -> None:
        with self._lock:
            try:
                while piece := self._tls.read(64 * 1024):
                    self._held += piece
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                pass  # OpenSSL would drop these records when it sends close_notify
            try:
                self._tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            ready = self._outgoing.read()
        self.socket.sendall(ready)

    def close(self) -> None:
        self.socket.close()


@dataclass
class Answer:
    """A response as read from the wire."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """The text of a JSON error."""
        assert self.fields["content-type"] == "application/json"
        return str(json.loads(self.body)["message"])


class Reader:
    """Reads responses off a client, one by one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.rest = b""

    def _more(self) -> bool:
        data = self._client.receive()
        self.rest += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        while mark not in self.rest:
            assert self._more(), f"the connection ended after {self.rest!r}"
        found, _, self.rest = self.rest.partition(mark)
        return found + mark

    def exactly(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self.rest) < count:
            assert self._more(), "the connection ended too early"
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def everything(self) -> bytes:
        """What comes until the end."""
        pieces, self.rest = [self.rest], b""
        while piece := self._client.receive():
            pieces.append(piece)
        return b"".join(pieces)

    def head(self) -> Answer:
        """The status and fields of a response whose body the test reads itself."""
        line, *lines = self.until(b"\r\n\r\n").decode().strip().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Answer(int(line.split(" ")[1]), fields, b"")

    def chunk(self) -> bytes:
        """One piece of a chunked body."""
        piece = self.exactly(int(self.until(b"\r\n"), 16) + 2)
        assert piece.endswith(b"\r\n")
        return piece[:-2]

    def answer(self, *, to_head: bool = False) -> Answer:
        """A whole response."""
        answer = self.head()
        if to_head or answer.status in (204, 304):
            return answer
        if answer.fields.get("transfer-encoding") == "chunked":
            while piece := self.chunk():
                answer.body += piece
        elif "content-length" in answer.fields:
            answer.body = self.exactly(int(answer.fields["content-length"]))
        else:
            answer.body = self.everything()
        return answer


class Service:
    """One handler, served in a way of its own: "unix", "tcp" or "tls"."""

    def __init__(self, kind: str, directory: Path, certificates: Path) -> None:
        self.kind = kind
        self.path = directory / "http.sock"
        self.certificates = certificates
        self.port = 0
        self.server: Server
        self._clients: list[Client] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs something on the server's loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def start(self, handler: Handler) -> "Service":
        self.server = Server(handler)
        self.run(self._serve())
        return self

    async def _serve(self) -> None:
        if self.kind == "unix":
            await self.server.serve(listen_unix(str(self.path)), remove=True)
            return
        (listener,) = listen_tcp("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        await self.server.serve(listener, self.tls_files().context() if self.kind == "tls" else None)

    def tls_files(self) -> TlsFiles:
        at = self.certificates
        return TlsFiles(f"{at}/server.pem", f"{at}/server.key", f"{at}/ca.pem", True)

    def client_context(self, name: str | None = "client") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.certificates / "ca.pem"))
        if name is not None:
            context.load_cert_chain(self.certificates / f"{name}.pem", self.certificates / f"{name}.key")
        return context

    def connect_socket(self) -> socket.socket:
        """A connection below any TLS."""
        if self.kind == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self.path))
        else:
            connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(30)
        return connection

    def connect(self) -> tuple[Client, Reader]:
        """A connection and a reader of what comes back over it."""
        connection = self.connect_socket()
        client: Client = PlainClient(connection)
        if self.kind == "tls":
            client = TlsClient(connection, self.client_context())
        self._clients.append(client)
        return client, Reader(client)

    def ask(self, request: bytes) -> Answer:
        """The answer to one request on a connection of its own."""
        client, reader = self.connect()
        client.send(request)
        return reader.answer(to_head=request.startswith(b"HEAD"))

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.run(self.server.close(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def get(path: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: engine", *fields, "", ""]).encode()


def post(path: str, body: bytes, *fields: str) -> bytes:
    """A request with a body of known length."""
    return get(path, f"Content-Length: {len(body)}", *fields, method="POST") + body


def chunks(*pieces: bytes) -> bytes:
    """Pieces in the chunked coding, without the last, empty one."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
