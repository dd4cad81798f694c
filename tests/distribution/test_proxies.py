"""Registries behind a proxy."""

import base64
import contextlib
import dataclasses
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.distribution.conftest import QUICK
from tests.distribution.parcels import BLOB, give, whole
from tests.registries import Breaking, Registry, needs_registry

from lading.distribution import Registries, Unreachable

pytestmark = needs_registry


class Tunnels:
    """A proxy that does nothing but CONNECT, always to the same place."""

    def __init__(self, port: int, refusal: bytes = b"") -> None:
        self._port = port
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://ada:secret@127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.heads.append(head.decode())
        if self._refusal:
            client.sendall(self._refusal)
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self._port))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def encrypted(tmp_path: Path, certificates: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "encrypted", tls=certificates) as registry:
        yield registry


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_https_goes_through_a_tunnel(encrypted: Registry) -> None:
    tunnels = Tunnels(encrypted.port)
    settings = dataclasses.replace(QUICK, insecure=("reg.invalid",), https_proxy=tunnels.url)
    repository = Registries(settings).repository("reg.invalid", "x", push=True)
    assert whole(repository.blob(give(repository, BLOB))) == BLOB
    tunnels.close()
    assert tunnels.heads[0].startswith("CONNECT reg.invalid:443 HTTP/1.")
    asked = f"basic {base64.b64encode(b'ada:secret').decode()}"
    assert asked.lower() in tunnels.heads[0].lower()


def test_certificates_are_checked_through_a_tunnel(
    encrypted: Registry, certificates: Path, certs_d: Callable[[str], Path]
) -> None:
    directory = certs_d("reg.invalid")
    shutil.copy(certificates / "ca.pem", directory / "ca.crt")
    tunnels = Tunnels(encrypted.port)
    settings = dataclasses.replace(QUICK, certificates=(str(directory.parent),), https_proxy=tunnels.url)
    with pytest.raises(Unreachable, match=r"tls: failed to verify certificate: x509: .*reg\.invalid"):
        Registries(settings).repository("reg.invalid", "x").manifest("v1")
    tunnels.close()


@pytest.mark.parametrize("word", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses(word: str) -> None:
    tunnels = Tunnels(1, f"HTTP/1.1 {word}\r\nContent-Length: 0\r\n\r\n".encode())
    settings = dataclasses.replace(QUICK, https_proxy=tunnels.url)
    with pytest.raises(Unreachable) as caught:
        Registries(settings).repository("reg.invalid", "x").manifest("v1")
    tunnels.close()
    assert str(caught.value) == f'Get "https://reg.invalid/v2/": {word.partition(" ")[2]}'


def test_no_proxy_at_all() -> None:
    settings = dataclasses.replace(QUICK, https_proxy="http://127.0.0.1:1")
    with pytest.raises(Unreachable) as caught:
        Registries(settings).repository("reg.invalid", "x").manifest("v1")
    assert str(caught.value) == (
        'Get "https://reg.invalid/v2/": proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused'
    )


def test_http_is_asked_for_whole_addresses(breaking: Breaking) -> None:
    breaking.fail(
        "HEAD http://reg.invalid/v2/x/blobs/", "status", status=200, headers={"Content-Length": "5"}
    )
    breaking.fail("GET http://reg.invalid/v2/$", "status", status=200)
    settings = dataclasses.replace(QUICK, insecure=("reg.invalid",), http_proxy=breaking.url)
    assert Registries(settings).repository("reg.invalid", "x").blob_size("sha256:" + "0" * 64) == 5
