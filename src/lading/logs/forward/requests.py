"""Requests to an HTTP collector."""

import errno
import http.client
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from lading.aio.tasks import in_thread
from lading.logs.contract import Entry
from lading.logs.forward.dial import DialError, go_reason, tls_context
from lading.logs.servers import Plan, Tls

_SECONDS = 30


class Requests:
    """An HTTP collector. Each batch is a request, kept or refused by the time it is answered."""

    certain = True

    def __init__(self, plan: Plan) -> None:
        assert plan.collector is not None
        self._collector = plan.collector
        self._encoder = plan.encoder
        self._tls = plan.tls or Tls()
        self._probed = not plan.collector.probe
        self._connection: http.client.HTTPConnection | None = None

    async def connect(self) -> None:
        await in_thread(self._connect)

    def _connect(self) -> None:
        parts = urlsplit(self._collector.url)
        if parts.scheme == "https":
            self._connection = _Named(parts.netloc, tls_context(self._tls), self._tls.server_name)
        else:
            self._connection = http.client.HTTPConnection(parts.netloc, timeout=_SECONDS)
        if self._probed:
            return
        try:
            self._ask("OPTIONS", None, {}, "failed to verify connection")
        except OSError as error:
            where = f"{parts.hostname}:{parts.port or http.client.HTTPS_PORT}"
            problem = f"dial tcp {where}: connect: {go_reason(error)}"
            raise DialError(f'Options "{self._collector.url}": {problem}') from None
        self._probed = True

    async def send(self, entries: Sequence[Entry]) -> None:
        for body in self._encoder.encode(entries):
            await in_thread(self._ask, "POST", body, self._collector.headers, "failed to send event")

    def _ask(self, method: str, body: bytes | None, headers: dict[str, str], problem: str) -> None:
        if self._connection is None:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        path = urlsplit(self._collector.url).path
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except http.client.HTTPException as error:
            raise DialError(f"splunk: {problem} - {error!r}") from None
        if answer.status != http.HTTPStatus.OK:
            text = said[:1024].decode(errors="replace")
            raise DialError(f"splunk: {problem} - {answer.status} {answer.reason} - {text}")

    def sound(self) -> bool:
        return self._connection is not None

    def close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


class _Named(http.client.HTTPSConnection):
    """HTTPS to a server whose certificate bears another name than its address."""

    def __init__(self, where: str, context: ssl.SSLContext, name: str) -> None:
        super().__init__(where, timeout=_SECONDS, context=context)
        self._tls = context
        self._name = name

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._name or self.host)
