"""Engines for the tests: real daemons on roots, sockets, bridges and subnets of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.engine import Engine


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
