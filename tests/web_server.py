"""Small HTTP servers for tests, that can be told to misbehave."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One connection of a server of ours."""

    protocol_version = "HTTP/1.1"
    handle_with: Callable[["Handler"], None]
    _body: bytes | None = None

    def handle_one_request(self) -> None:
        self._body = None
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def log_message(self, *_: object) -> None:
        pass

    @property
    def body(self) -> bytes:
        """Of the request, whole."""
        if self._body is None:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                self._body = b"".join(self._chunks())
            else:
                self._body = self.read_some(int(self.headers.get("Content-Length", 0)))
        return self._body

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def read_some(self, most: int) -> bytes:
        return self.rfile.read(most)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """A whole answer; JSON unless `headers` say otherwise."""
        assert self.body is not None
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        self.head(status, fields)
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self) -> None:
        """Ends the connection at once."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def _any(self) -> None:
        type(self).handle_with(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any


def serve(handle: Callable[[Handler], None]) -> ThreadingHTTPServer:
    """A server on loopback whose requests are all answered by `handle`, each in a thread."""
    kind = type("BoundHandler", (Handler,), {"handle_with": staticmethod(handle)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
