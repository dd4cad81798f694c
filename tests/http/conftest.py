"""Servers over every kind of connection, and certificates made by openssl."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.http.serving import Service

from lading.http import Handler

Serve = Callable[[Handler], Service]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA with a server's and a client's certificate, and a stranger who signed his own."""
    directory = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "stranger"):
        openssl(
            "req",
            "-x509",
            *key,
            "-subj",
            f"/CN={name}",
            "-days",
            "2",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
        )
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", "-new", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", f"{name}.pem",
        )  # fmt: skip
    openssl("ec", "-in", "server.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    return directory


def _serving(kind: str, directory: Path, certificates: Path) -> Iterator[Serve]:
    service = Service(kind, directory, certificates)
    yield service.start
    service.stop()


@pytest.fixture(params=["unix", "tcp", "tls"])
def serve(request: pytest.FixtureRequest, tmp_path: Path, certificates: Path) -> Iterator[Serve]:
    """Serves a handler over each kind of connection in turn."""
    yield from _serving(request.param, tmp_path, certificates)


@pytest.fixture
def serve_unix(tmp_path: Path, certificates: Path) -> Iterator[Serve]:
    """Serves a handler over a UNIX socket, where the kind of connection does not matter."""
    yield from _serving("unix", tmp_path, certificates)


@pytest.fixture
def serve_tls(tmp_path: Path, certificates: Path) -> Iterator[Serve]:
    """Serves a handler over TLS with client certificates."""
    yield from _serving("tls", tmp_path, certificates)
