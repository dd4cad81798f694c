"""One registry for all tests here, and something to push."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.registries import Breaking, Registry

from lading.distribution import Registries, RegistrySettings, Repository

QUICK = RegistrySettings(attempts=3, timeout=5, pause=0.01, certificates=())
"""Three attempts, hardly a pause between them."""


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def breaking(registry: Registry) -> Iterator[Breaking]:
    with Breaking(registry) as breaking:
        yield breaking


@pytest.fixture
def repository(breaking: Breaking, request: pytest.FixtureRequest) -> Repository:
    """A repository of the test's own, through the registry that breaks."""
    name = request.node.name.partition("[")[0].lower()
    return Registries(QUICK).repository(breaking.host, f"t/{name}", push=True)


@pytest.fixture
def certs_d(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a certs.d directory for a host."""

    def make(host: str) -> Path:
        directory = tmp_path / "certs.d" / host
        directory.mkdir(parents=True)
        return directory

    return make
