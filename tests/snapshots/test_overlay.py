"""Layers on top of each other, seen through real overlay mounts."""

import asyncio
import itertools
import os
import stat
import tarfile
from pathlib import Path

import pytest

from lading.errors import Conflict, NotFound
from lading.linux import mounts
from lading.snapshots import OverlaySnapshots
from lading.state import Database

from .trees import add_layer, described, member, packed

DIRECTORY = tarfile.DIRTYPE
_looks = itertools.count()


def mounted(snapshots: OverlaySnapshots, chain: str | None, target: Path) -> list[str]:
    """Every path of a chain as a container sees it."""
    key = f"look {next(_looks)}"
    snapshots.prepare(key, chain)
    snapshots.mount(key, str(target))
    try:
        return sorted(str(path.relative_to(target)) for path in target.rglob("*"))
    finally:
        snapshots.unmount(str(target))


BASE = packed(
    member("dir", DIRECTORY),
    (member("dir/a"), b"a"),
    (member("dir/b"), b"b"),
    member("other", DIRECTORY),
    (member("other/c"), b"c"),
    (member("file"), b"f"),
)


def test_whiteouts_hide_what_is_below(snapshots: OverlaySnapshots, target: Path) -> None:
    base = add_layer(snapshots, BASE)
    top = add_layer(snapshots, packed(member("dir/.wh.a"), member(".wh.other"), member(".wh.file")), base)
    assert mounted(snapshots, top, target) == ["dir", "dir/b"]
    assert mounted(snapshots, base, target) == ["dir", "dir/a", "dir/b", "file", "other", "other/c"]


def test_opaque_directories_hide_all_that_is_below(snapshots: OverlaySnapshots, target: Path) -> None:
    base = add_layer(snapshots, BASE)
    top = add_layer(snapshots, packed((member("dir/new"), b"n"), member("dir/.wh..wh..opq")), base)
    assert mounted(snapshots, top, target) == ["dir", "dir/new", "file", "other", "other/c"]


@pytest.mark.parametrize("whiteout_first", [True, False])
def test_a_directory_removed_and_made_again(
    snapshots: OverlaySnapshots, target: Path, whiteout_first: bool
) -> None:
    base = add_layer(snapshots, BASE)
    whiteout, made, new = member(".wh.dir"), member("dir", DIRECTORY), (member("dir/new"), b"n")
    archive = packed(whiteout, made, new) if whiteout_first else packed(made, new, whiteout)
    top = add_layer(snapshots, archive, base)
    assert mounted(snapshots, top, target) == ["dir", "dir/new", "file", "other", "other/c"]


def test_directories_an_archive_leaves_out_look_as_below(snapshots: OverlaySnapshots, target: Path) -> None:
    base = add_layer(
        snapshots,
        packed(
            member("./", DIRECTORY, mode=0o751, uid=3),
            member("tmp", DIRECTORY, mode=0o1777, uid=7, gid=8, mtime=1_000_000),
            member("tmp/inner", DIRECTORY, mode=0o700),
        ),
    )
    middle = add_layer(snapshots, packed((member("unrelated"), b"")), base)
    top = add_layer(snapshots, packed((member("tmp/inner/file"), b"x"), (member("made/file"), b"x")), middle)
    snapshots.prepare("key", top)
    snapshots.mount("key", str(target))
    root, tmp = target.stat(), (target / "tmp").stat()
    assert (stat.S_IMODE(root.st_mode), root.st_uid) == (0o751, 3)
    assert (stat.S_IMODE(tmp.st_mode), tmp.st_uid, tmp.st_gid, tmp.st_mtime) == (0o1777, 7, 8, 1_000_000)
    assert stat.S_IMODE((target / "tmp/inner").stat().st_mode) == 0o700
    assert stat.S_IMODE((target / "made").stat().st_mode) == 0o755


def test_a_writable_layer_keeps_what_is_written(
    snapshots: OverlaySnapshots, target: Path, tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    base = add_layer(snapshots, BASE)
    before = described(snapshots.directories(base)[0])
    snapshots.prepare("key", base)
    with pytest.raises(Conflict):
        snapshots.prepare("key", base)
    snapshots.mount("key", str(target))
    (target / "file").write_bytes(b"changed")
    (target / "dir/a").unlink()
    (target / "new").write_bytes(b"x" * 1000)
    os.link(target / "new", target / "twin")
    snapshots.unmount(str(target))
    snapshots.unmount(str(target))
    assert loop.run_until_complete(snapshots.usage("key")).size == 1007

    again = OverlaySnapshots(str(tmp_path / "snapshots"), Database(str(tmp_path / "state.db")))

    async def reopen() -> None:
        again.open()
        again.mount("key", str(target))

    loop.run_until_complete(reopen())
    assert (target / "file").read_bytes() == b"changed"
    assert not (target / "dir/a").exists()
    assert described(snapshots.directories(base)[0]) == before
    loop.run_until_complete(again.close())


def test_a_volatile_mount_can_be_followed_by_any(snapshots: OverlaySnapshots, target: Path) -> None:
    snapshots.prepare("key", add_layer(snapshots, BASE))
    for number, volatile in enumerate((True, True, False)):
        snapshots.mount("key", str(target), volatile=volatile)
        (target / f"file{number}").write_bytes(b"x")
        snapshots.unmount(str(target))
    snapshots.mount("key", str(target))
    assert {"file0", "file1", "file2"} <= set(os.listdir(target))


def test_a_container_without_layers(snapshots: OverlaySnapshots, target: Path) -> None:
    snapshots.prepare("key", None)
    snapshots.mount("key", str(target))
    assert os.listdir(target) == []
    (target / "file").write_bytes(b"x")
    snapshots.unmount(str(target))
    assert mounted(snapshots, None, target) == []


def test_as_many_layers_as_any_image_has(snapshots: OverlaySnapshots, target: Path) -> None:
    chain = None
    for number in range(127):
        chain = add_layer(snapshots, packed((member(f"f{number}"), b"x")), chain)
    assert len(mounted(snapshots, chain, target)) == 127


def test_many_layers_on_a_kernel_that_takes_one_page_of_options(
    snapshots: OverlaySnapshots, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts._Kernel, "new_mount_api", False)
    chain = None
    for number in range(127):
        chain = add_layer(snapshots, packed((member(f"f{number}"), b"x")), chain)
    snapshots.prepare("key", chain)
    snapshots.mount("key", str(target))
    assert len(os.listdir(target)) == 127


def test_names_with_signs_that_mean_something_to_overlay(tmp_path: Path, target: Path) -> None:
    for new_api in (True, False):
        root = tmp_path / f"a,b:c\\d {new_api}"
        for name in ("lower", "upper", "work"):
            (root / name).mkdir(parents=True)
        (root / "lower/file").write_bytes(b"x")
        parts = mounts.Overlay([str(root / "lower")], str(root / "upper"), str(root / "work"))
        if new_api:
            mounts._overlay_by_fsconfig(parts, str(target), 0)
        else:
            mounts._overlay_by_mount(parts, str(target), 0)
        assert os.listdir(target) == ["file"]
        entry = next(entry for entry in mounts.table() if entry.target == str(target))
        assert entry.fs_type == "overlay"
        mounts.unmount(str(target))


def test_what_nobody_needs_is_removed(snapshots: OverlaySnapshots, loop: asyncio.AbstractEventLoop) -> None:
    async def body() -> None:
        base = add_layer(snapshots, BASE)
        kept = add_layer(snapshots, packed((member("kept"), b"")), base)
        used = add_layer(snapshots, packed((member("used"), b"")), base)
        gone = add_layer(snapshots, packed((member("gone"), b"")), kept)
        path = snapshots.directories(gone)[-1]
        snapshots.prepare("key", used)
        snapshots.retain([kept])
        assert {layer.chain_id for layer in snapshots.layers()} == {base, kept, used}
        assert not os.path.exists(path)
        with pytest.raises(NotFound):
            snapshots.directories(gone)
        snapshots.remove("key")
        snapshots.retain([])
        assert snapshots.layers() == []
        await snapshots.close()

    loop.run_until_complete(body())


def test_a_start_clears_what_a_crash_left(
    tmp_path: Path, snapshots: OverlaySnapshots, target: Path, loop: asyncio.AbstractEventLoop
) -> None:
    async def body() -> None:
        root = tmp_path / "snapshots"
        chain = add_layer(snapshots, BASE)
        for key in ("live", "dead"):
            snapshots.prepare(key, chain)
        snapshots.mount("dead", str(target))
        (root / "zz" / "half").mkdir(parents=True)
        (root / ".trash" / "old").mkdir()
        again = OverlaySnapshots(str(root), Database(str(tmp_path / "state.db")))
        again.open()
        again.sweep(["live"])
        await again.close()
        assert again.keys() == ["live"]
        assert not target.is_mount()
        assert sorted(os.listdir(root)) == [".empty", ".trash", "1", "2"]
        assert os.listdir(root / ".trash") == []
        # A name is not given out twice, so that an old mount never meets new files.
        again.prepare("new", chain)
        assert "zz" not in os.listdir(root)

    loop.run_until_complete(body())


def test_an_opaque_root_hides_everything_below(snapshots: OverlaySnapshots, target: Path) -> None:
    base = add_layer(snapshots, BASE)
    middle = add_layer(snapshots, packed((member("mine"), b"m"), member(".wh..wh..opq")), base)
    top = add_layer(snapshots, packed((member("dir/top"), b"t")), middle)
    assert mounted(snapshots, middle, target) == ["mine"]
    assert mounted(snapshots, top, target) == ["dir", "dir/top", "mine"]


def test_whiteouts_of_what_never_was_are_not_seen(snapshots: OverlaySnapshots, target: Path) -> None:
    # Overlay lists them in directories that only one layer has.
    base = add_layer(snapshots, packed(member(".wh.x"), member("new", DIRECTORY), member("new/.wh.y")))
    opaque: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]] = [
        member("dir", DIRECTORY),
        member("dir/.wh..wh..opq"),
        member("dir/.wh.z"),
        (member("dir/a"), b""),
    ]
    top = add_layer(snapshots, packed(*opaque, member("implied/.wh.w")), add_layer(snapshots, BASE, base))
    assert mounted(snapshots, base, target) == ["new"]
    assert mounted(snapshots, top, target) == ["dir", "dir/a", "file", "implied", "new", "other", "other/c"]


def test_what_is_hidden_is_not_inherited(snapshots: OverlaySnapshots, target: Path) -> None:
    base = add_layer(
        snapshots, packed(member("a", DIRECTORY), member("a/b", DIRECTORY, mode=0o700), member("a/b/.wh.c"))
    )
    middle = add_layer(snapshots, packed(member("a", DIRECTORY), member("a/.wh..wh..opq")), base)
    top = add_layer(snapshots, packed((member("a/b/file"), b"")), middle)
    snapshots.prepare("key", top)
    snapshots.mount("key", str(target))
    assert stat.S_IMODE((target / "a/b").stat().st_mode) == 0o755
    assert os.listdir(target / "a/b") == ["file"]
