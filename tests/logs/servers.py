"""Log servers for tests: they keep what they are sent, and can go away and come back."""

import array
import contextlib
import http.server
import json
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import msgpack


class Server:
    """Accepts streams, or takes datagrams, on a loopback port or a UNIX socket."""

    def __init__(self, kind: str, path: Path | None = None, context: ssl.SSLContext | None = None) -> None:
        self._kind = socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM
        self._family = socket.AF_INET if path is None else socket.AF_UNIX
        self._context = context
        self.address: Any = ("127.0.0.1", 0) if path is None else str(path)
        self._received = bytearray()
        self.datagrams: list[bytes] = []
        self.acknowledge: Any = None
        """Called with what a stream has brought; gives what to answer."""
        self.reading = True
        """Whether streams are read from once they are accepted."""
        self._clients: list[socket.socket] = []
        self._lock = threading.Lock()
        self.start()

    @property
    def port(self) -> int:
        return int(self.address[1])

    @property
    def received(self) -> bytes:
        """All that streams have brought."""
        with self._lock:
            return bytes(self._received)

    def start(self) -> None:
        """Listens, at the same address as before."""
        self._closing = threading.Event()
        self._socket = socket.socket(self._family, self._kind)
        if self._family == socket.AF_INET:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.address)
        self._socket.bind(self.address)
        self.address = self._socket.getsockname()
        if self._kind == socket.SOCK_STREAM:
            self._socket.listen()
        work = self._accept if self._kind == socket.SOCK_STREAM else self._take
        self._thread = threading.Thread(target=work, args=(self._socket,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Goes away, with all connections."""
        self._closing.set()
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._kind == socket.SOCK_STREAM:
            self._thread.join(5)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def _read(self, client: socket.socket) -> None:
        try:
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            with self._lock:
                self._clients.append(client)
            while self.reading and (data := client.recv(65536)):
                with self._lock:
                    self._received += data
                if self.acknowledge is not None and (answer := self.acknowledge(data)):
                    client.sendall(answer)
            self._closing.wait(0 if self.reading else 60)
        except OSError:
            pass
        finally:
            client.close()

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                data, ancillary, _, _ = listener.recvmsg(65536, 64)
            except OSError:
                return
            for level, kind, payload in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    (file,) = array.array("i", payload)
                    data = os.pread(file, 1 << 24, 0)
                    os.close(file)
            self.datagrams.append(data)

    def lines(self) -> list[str]:
        """The text lines that streams or datagrams have brought."""
        data = self.received if self._kind == socket.SOCK_STREAM else b"".join(self.datagrams)
        return data.decode().splitlines()

    def messages(self) -> list[Any]:
        """The msgpack messages that streams have brought."""
        unpacker = msgpack.Unpacker()
        unpacker.feed(self.received)
        return list(unpacker)


class Collector:
    """An HTTP event collector."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.events: list[Any] = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                collector.requests.append((self.command, self.path, dict(self.headers)))
                if collector.status == 200:
                    collector._keep(body)
                text = b'{"text":"words","code":0}'
                self.send_response(collector.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_OPTIONS = _answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _keep(self, body: str) -> None:
        while body:
            event, end = json.JSONDecoder().raw_decode(body)
            self.events.append(event)
            body = body[end:]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
