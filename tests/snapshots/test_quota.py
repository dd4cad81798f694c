"""Writable layers of limited size, where the kernel has XFS with project quotas."""

import asyncio
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lading.linux import project_quota
from lading.snapshots import OverlaySnapshots
from lading.state import Database

_MEBIBYTE = 1 << 20


@pytest.fixture
def xfs(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with project quotas."""
    if shutil.which("mkfs.xfs") is None:
        pytest.skip("mkfs.xfs is not installed")
    image, place = tmp_path / "image", tmp_path / "xfs"
    with open(image, "wb") as file:
        file.truncate(320 * _MEBIBYTE)
    subprocess.run(["mkfs.xfs", "-q", image], check=True)
    place.mkdir()
    mounted = subprocess.run(["mount", "-o", "loop,pquota", image, place], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"this kernel has no quotas of XFS: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_layer_takes_no_more_than_it_may(xfs: Path) -> None:
    asyncio.run(_fill_a_small_layer(xfs))


async def _fill_a_small_layer(place: Path) -> None:
    (place / "snapshots").mkdir()
    snapshots = OverlaySnapshots(str(place / "snapshots"), Database(":memory:"))
    snapshots.open()
    assert snapshots.can_limit()
    snapshots.prepare("small", None, 8 * _MEBIBYTE)
    target = place / "mounted"
    target.mkdir()
    snapshots.mount("small", str(target))
    try:
        status = os.statvfs(target)
        assert status.f_blocks * status.f_frsize == 8 * _MEBIBYTE
        with pytest.raises(OSError) as caught:
            (target / "big").write_bytes(bytes(16 * _MEBIBYTE))
        assert caught.value.errno in (errno.ENOSPC, errno.EDQUOT)
        (place / "other").write_bytes(bytes(16 * _MEBIBYTE))
    finally:
        snapshots.unmount(str(target))
        snapshots.remove("small")
        await snapshots.close()


def test_where_there_are_none(tmp_path: Path) -> None:
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        if any("prjquota" in line or "pquota" in line for line in mounts):
            pytest.skip("this machine may have project quotas")
    assert not project_quota.enforced(str(tmp_path))
