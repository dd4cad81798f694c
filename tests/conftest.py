"""Real daemons on roots, sockets, bridges and subnets of their own, and certificates for them."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.engine import Engine
from tests.registries import Breaking, Registry


def pytest_configure() -> None:
    # A shell that starts us behind its back has us ignore interrupts, which all our children would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all tests that leave it as they found it."""
    engine = Engine(tmp_path_factory.mktemp("engine"))
    engine.start()
    yield engine
    engine.destroy()


@pytest.fixture
def engine(shared_engine: Engine) -> Iterator[Engine]:
    """The shared engine, freed of what the test before left running."""
    assert shared_engine.alive(), shared_engine.log()
    yield shared_engine
    shared_engine.remove_containers()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A plain registry on loopback."""
    with Registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def broken(registry: Registry) -> Iterator[Breaking]:
    """A proxy before it, which breaks as it is told."""
    with Breaking(registry) as breaking:
        yield breaking


@pytest.fixture
def new_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Makes engines that belong to one test: to be killed, restarted, broken."""
    made: list[Engine] = []

    def make(*flags: str) -> Engine:
        engine = Engine(tmp_path / f"engine{len(made)}", *flags)
        made.append(engine)
        engine.start()
        return engine

    yield make
    for engine in made:
        engine.destroy()


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
            "-addext",
            "keyUsage=critical,keyCertSign",
            "-days",
            "2",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
        )
    (directory / "names").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n"
    )
    for name in ("server", "client"):
        openssl("req", "-new", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", f"{name}.pem",
        )  # fmt: skip
    openssl("ec", "-in", "server.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    return directory
