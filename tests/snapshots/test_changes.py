"""What a writable layer is said to change, made by real work on a real overlay."""

import asyncio
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lading.snapshots import OverlaySnapshots

from .trees import add_layer, member, packed

DIRECTORY = tarfile.DIRTYPE
BASE = packed(
    member("dir", DIRECTORY),
    (member("dir/a"), b"a"),
    (member("dir/b"), b"b"),
    member("dir/inner", DIRECTORY),
    (member("dir/inner/c"), b"c"),
    member("link", tarfile.SYMTYPE, linkname="dir"),
    (member("file"), b"f"),
)


def _replace_directory(root: Path) -> None:
    shutil.rmtree(root / "dir")
    (root / "dir").mkdir(mode=0o755)
    (root / "dir" / "b").write_text("new")


def _open_without_writing(root: Path) -> None:
    with open(root / "file", "r+b"):
        pass


def _file_to_directory(root: Path) -> None:
    (root / "file").unlink()
    (root / "file" / "x").mkdir(parents=True)


def _directory_to_file(root: Path) -> None:
    shutil.rmtree(root / "dir")
    (root / "dir").write_text("now")


def _come_and_go(root: Path) -> None:
    (root / "dir" / "new").write_text("x")
    (root / "dir" / "new").unlink()


def _deep(root: Path) -> None:
    (root / "dir" / "inner" / "c").write_text("changed")


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda root: None, []),
        (_open_without_writing, []),
        (_come_and_go, []),
        (_deep, ["C /dir", "C /dir/inner", "C /dir/inner/c"]),
        (lambda root: (root / "dir" / "a").unlink(), ["C /dir", "D /dir/a"]),
        (lambda root: shutil.rmtree(root / "dir"), ["D /dir"]),
        (_replace_directory, ["C /dir", "D /dir/a", "C /dir/b", "D /dir/inner"]),
        (_file_to_directory, ["C /file", "A /file/x"]),
        (_directory_to_file, ["C /dir"]),
        (lambda root: os.chmod(root / "dir", 0o700), ["C /dir"]),
        (lambda root: os.chown(root / "link", 1, 1, follow_symlinks=False), ["C /link"]),
        (lambda root: os.utime(root / "file", (5, 5)), ["C /file"]),
        (lambda root: os.mknod(root / "null", 0o20666, os.makedev(1, 3)), ["A /null"]),
        (lambda root: (root / "ground").write_text(""), []),
        (lambda root: (root / "base" / "more").mkdir(parents=True), ["C /base", "A /base/more"]),
    ],
)
def test_changes(
    snapshots: OverlaySnapshots,
    target: Path,
    loop: asyncio.AbstractEventLoop,
    work: Callable[[Path], object],
    expected: list[str],
) -> None:
    snapshots.prepare("key", add_layer(snapshots, BASE))
    snapshots.mount("key", str(target))
    work(target)
    snapshots.unmount(str(target))
    found = loop.run_until_complete(snapshots.changes("key", {"/ground", "/base"}))
    assert [f"{'CAD'[change.kind]} {change.path}" for change in found] == expected


def test_without_layers_everything_is_new(
    snapshots: OverlaySnapshots, target: Path, loop: asyncio.AbstractEventLoop
) -> None:
    snapshots.prepare("key", None)
    snapshots.mount("key", str(target))
    (target / "a" / "b").mkdir(parents=True)
    found = loop.run_until_complete(snapshots.changes("key"))
    assert [(change.path, int(change.kind)) for change in found] == [("/a", 1), ("/a/b", 1)]
