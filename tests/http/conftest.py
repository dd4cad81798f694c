"""Servers over every kind of connection, and certificates made by openssl."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.http.serving import Service

from lading.http import Handler

Serve = Callable[[Handler], Service]


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
