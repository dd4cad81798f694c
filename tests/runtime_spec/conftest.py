"""A box for each OCI runtime of this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime_spec.box import Box

from lading.runtime.oci import prepare_cgroups


def _box(runtime: str, directory: Path, *, compiled: bool = False) -> Iterator[Box]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if shutil.which(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    if not os.path.exists("/bin/busybox"):
        pytest.skip("busybox-static is not installed")
    prepare_cgroups()
    box = Box(runtime, directory, compiled=compiled)
    yield box
    box.destroy()


@pytest.fixture(params=["crun", "runc"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box]:
    yield from _box(request.param, tmp_path)


@pytest.fixture
def crun_box(tmp_path: Path) -> Iterator[Box]:
    """Hands filters to crun compiled, as the engine does where it may."""
    yield from _box("crun", tmp_path, compiled=True)
