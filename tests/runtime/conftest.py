"""Rooms with real OCI runtimes."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.bundles import CGROUP, Room, make_root


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "rootfs"
    make_root(path)
    return path


@pytest.fixture(scope="session", autouse=True)
def _cgroups() -> Iterator[None]:
    """Removes the parent of the test containers' control groups."""
    yield
    for place in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()):
        for _ in range(100):
            if not (place / CGROUP).exists():
                break
            # Busy for a moment after its last process has gone.
            with contextlib.suppress(OSError):
                os.rmdir(place / CGROUP)
            time.sleep(0.02)


@pytest.fixture
def room(tmp_path: Path, root: Path) -> Room:
    """With the OCI runtime that would be chosen here."""
    return Room(tmp_path, root)


@pytest.fixture(params=["crun", "runc"])
def each_room(tmp_path: Path, root: Path, request: pytest.FixtureRequest) -> Room:
    """With each OCI runtime."""
    return Room(tmp_path, root, request.param)
