"""Rooms with real OCI runtimes."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.bundles import Room, make_root


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "rootfs"
    make_root(path)
    return path


@pytest.fixture(scope="session", autouse=True)
def _cgroups() -> Iterator[None]:
    """Removes the parent of the test containers' control groups."""
    yield
    name = f"lading-test-{os.getpid()}"
    for place in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()):
        with contextlib.suppress(OSError):
            os.rmdir(place / name)


@pytest.fixture
def room(tmp_path: Path, root: Path) -> Room:
    """With the OCI runtime that would be chosen here."""
    return Room(tmp_path, root)


@pytest.fixture(params=["crun", "runc"])
def each_room(tmp_path: Path, root: Path, request: pytest.FixtureRequest) -> Room:
    """With each OCI runtime."""
    return Room(tmp_path, root, request.param)
