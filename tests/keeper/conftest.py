"""A keeper for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.keeper.driver import KeeperProcess


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[KeeperProcess]:
    process = KeeperProcess(tmp_path)
    yield process
    process.destroy()
