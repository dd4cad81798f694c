"""A resolver, containers and upstream servers for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from tests.dns.resolver import Container, Resolver, Upstream


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver(Path(mkdtemp(prefix="ldd-", dir="/run")))
    made.start()
    made.connect()
    yield made
    made.destroy()


@pytest.fixture
def container() -> Iterator[Callable[[], Container]]:
    """Makes containers."""
    made: list[Container] = []

    def make() -> Container:
        made.append(Container())
        return made[-1]

    yield make
    for each in made:
        each.remove()


@pytest.fixture
def upstream() -> Iterator[Callable[..., Upstream]]:
    """Makes servers: on the host's loopback, or on that of a container."""
    made: list[Upstream] = []

    def make(place: Container | None = None, address: str = "127.0.0.1") -> Upstream:
        made.append(Upstream(place, address))
        return made[-1]

    yield make
    for each in made:
        each.close()
