"""Images of more layers than any kernel's option string holds, up to what overlay can stack."""

import asyncio
import os
from pathlib import Path

import pytest

from lading.linux import mounts
from lading.snapshots import OverlaySnapshots

from .trees import add_layer, member, packed


def stacked(snapshots: OverlaySnapshots, count: int, chain: str | None = None) -> str:
    for number in range(count):
        chain = add_layer(snapshots, packed((member(f"d/f{number}"), b"x")), chain)
    assert chain is not None
    return chain


def test_five_hundred(snapshots: OverlaySnapshots, target: Path, loop: asyncio.AbstractEventLoop) -> None:
    snapshots.prepare("key", stacked(snapshots, 500))
    snapshots.mount("key", str(target))
    assert len(os.listdir(target / "d")) == 500
    (target / "d/f7").unlink()
    snapshots.unmount(str(target))
    changes = loop.run_until_complete(snapshots.changes("key"))
    assert [change.path for change in changes] == ["/d", "/d/f7"]


def test_more_than_overlay_can_stack(snapshots: OverlaySnapshots, target: Path) -> None:
    snapshots.prepare("key", stacked(snapshots, 501))
    with pytest.raises(OSError, match="501 layers are more than the 500 that overlay can stack"):
        snapshots.mount("key", str(target))
    assert os.listdir(target) == []


def test_more_than_an_old_kernel_takes(
    snapshots: OverlaySnapshots, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts._Kernel, "new_mount_api", False)
    chain = stacked(snapshots, 400)
    snapshots.prepare("key", chain)
    snapshots.mount("key", str(target))
    assert len(os.listdir(target / "d")) == 400
    snapshots.unmount(str(target))
    snapshots.prepare("too many", stacked(snapshots, 100, chain))
    monkeypatch.setattr(mounts, "_OPTIONS_LIMIT", 1500)
    with pytest.raises(OSError, match="500 layers are too many for this kernel"):
        snapshots.mount("too many", str(target))
    assert os.listdir(target) == []
