"""Layer archives become the tree they describe, and never more than that."""

import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from lading.errors import InvalidParameter, LadingError
from lading.snapshots import OverlaySnapshots

from .trees import described, member, packed, pull_from

DIRECTORY, SYMLINK, LINK = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def rich_tree(root: Path) -> None:
    for directory in ("usr/bin", "etc", "var/empty", "var/set-group", "deep/" + "d/" * 60):
        (root / directory).mkdir(parents=True)
    program = root / "usr/bin/program"
    program.write_bytes(os.urandom(300_000))
    program.chmod(0o4755)
    os.setxattr(program, "user.note", b"with\0zero")
    capability = root / "usr/bin/ping"
    capability.write_bytes(b"ping")
    os.setxattr(capability, "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
    os.link(program, root / "usr/bin/twin")
    os.symlink("../usr/bin/program", root / "etc/link")
    os.symlink("/nowhere", root / "etc/dangling")
    (root / "etc/owned").write_bytes(b"mine")
    os.chown(root / "etc/owned", 1000, 70_000)
    os.chown(root / "etc/link", 12, 34, follow_symlinks=False)
    os.chown(root / "var/set-group", 5, 6)
    (root / "var/set-group").chmod(0o2775)
    (root / "var/set-group/inside").write_bytes(b"")
    os.mkfifo(root / "var/pipe", 0o620)
    os.mknod(root / "var/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(root / "var/disk", stat.S_IFBLK | 0o660, os.makedev(8, 1))
    with open(root / "var/sparse", "wb") as file:
        for at in (0, 1 << 20, 5 << 20):
            file.seek(at)
            file.write(b"data")
        file.truncate(8 << 20)
    (root / "n" / ("a" * 200)).mkdir(parents=True)
    (root / "n" / ("a" * 200) / ("b" * 200)).write_bytes(b"long")
    (root / "var/empty").chmod(0o1777)
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, ns=(0, 1_600_000_000_000_000_000 + len(path.name)), follow_symlinks=False)


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=gnu", "-S"],
        ["--format=posix", "--xattrs", "--xattrs-include=*"],
        ["--format=posix", "-S", "--sparse-version=1.0"],
        ["--format=posix", "-S", "--sparse-version=0.1"],
    ],
    ids=" ".join,
)
def test_the_tree_is_what_tar_makes_of_it(
    tmp_path: Path, snapshots: OverlaySnapshots, options: list[str]
) -> None:
    source, expected = tmp_path / "source", tmp_path / "expected"
    source.mkdir()
    expected.mkdir()
    rich_tree(source)
    archive = tmp_path / "layer.tar"
    subprocess.run(["tar", "-C", source, *options, "-cf", archive, "."], check=True)
    subprocess.run(
        ["tar", "-C", expected, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", archive],
        check=True,
    )
    staged = snapshots.stage(pull_from(archive.read_bytes()))
    assert described(staged.directory) == described(expected)
    assert (
        os.stat(f"{staged.directory}/var/sparse").st_blocks <= os.stat(expected / "var/sparse").st_blocks + 16
    )
    assert staged.implied == []


def test_size_counts_the_bytes_of_files(snapshots: OverlaySnapshots) -> None:
    staged = snapshots.stage(pull_from(packed((member("a"), b"x" * 10), (member("b"), b"y" * 20))))
    assert staged.size == 30


@pytest.mark.parametrize(
    "members",
    [
        [(member("../escaped"), b"x")],
        [(member("a/../../escaped"), b"x")],
        [member("..", DIRECTORY)],
        [member("link", LINK, linkname="../../outside")],
        [member("link", LINK, linkname="/etc/../../../outside")],
        [member("up", SYMLINK, linkname="../.."), member("link", LINK, linkname="up/outside")],
        [member("link", LINK, linkname="not-there")],
        [member("dir", DIRECTORY), member("link", LINK, linkname="dir")],
        [(member("file"), b"x"), (member("file/below"), b"x")],
        [member("loop", SYMLINK, linkname="loop"), (member("loop/file"), b"x")],
        [(member("n" * 256), b"x")],
        [member(".wh..")],
        [member(".wh.")],
        [member("strange", b"Q")],
    ],
    ids=lambda members: str([each[0].name if isinstance(each, tuple) else each.name for each in members])[
        :60
    ],
)
def test_bad_archives_are_refused_and_leave_nothing(
    tmp_path: Path,
    snapshots: OverlaySnapshots,
    members: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]],
) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    before = described(tmp_path)
    with pytest.raises(InvalidParameter):
        snapshots.stage(pull_from(packed((member("good"), b"good"), *members)))
    assert set(described(tmp_path)) == set(before)
    assert (tmp_path / "outside").stat().st_nlink == 1


@pytest.mark.parametrize("link", ["../../../../outside", "/../outside", "{outside}", "..", "/"])
def test_links_lead_nowhere_but_inside(tmp_path: Path, snapshots: OverlaySnapshots, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = packed(
        member("link", SYMLINK, linkname=link.format(outside=outside)),
        (member("link/planted"), b"x"),
        member("link/planted-directory", DIRECTORY),
        member("link/.wh.planted-whiteout"),
    )
    staged = snapshots.stage(pull_from(archive))
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "planted").exists()
    planted = [path for path in Path(staged.directory).rglob("planted") if path.is_file()]
    assert planted


def test_an_absolute_name_is_below_the_root(snapshots: OverlaySnapshots) -> None:
    staged = snapshots.stage(pull_from(packed((member("/etc/file"), b"x"))))
    assert Path(staged.directory, "etc/file").read_bytes() == b"x"


def test_a_file_is_never_written_through_a_link(tmp_path: Path, snapshots: OverlaySnapshots) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"safe")
    archive = packed(
        member("name", SYMLINK, linkname=str(outside)),
        (member("name"), b"overwritten"),
    )
    staged = snapshots.stage(pull_from(archive))
    assert outside.read_bytes() == b"safe"
    assert Path(staged.directory, "name").read_bytes() == b"overwritten"


def test_overlays_own_attributes_are_not_taken(snapshots: OverlaySnapshots) -> None:
    info = member("dir", DIRECTORY)
    info.pax_headers = {
        "SCHILY.xattr.trusted.overlay.redirect": "/secret",
        "SCHILY.xattr.trusted.overlay.metacopy": "",
        "SCHILY.xattr.user.fine": "yes",
    }
    staged = snapshots.stage(pull_from(packed(info)))
    assert os.listxattr(f"{staged.directory}/dir") == ["user.fine"]


@pytest.mark.parametrize("cut", [1, 300, 700, 20_000])
def test_a_truncated_archive_leaves_nothing(tmp_path: Path, snapshots: OverlaySnapshots, cut: int) -> None:
    before = set(described(tmp_path))
    archive = packed((member("a"), b"x" * 5000), (member("b"), b"y" * 90_000))
    with pytest.raises(InvalidParameter, match="unexpected EOF"):
        snapshots.stage(pull_from(archive[: 5000 + 1024 + cut]))
    assert set(described(tmp_path)) == before


def test_a_source_that_fails_leaves_nothing(tmp_path: Path, snapshots: OverlaySnapshots) -> None:
    before = set(described(tmp_path))
    source = pull_from(packed((member("a"), b"x" * 50_000)), 1000)
    calls = 0

    def pull() -> bytes:
        nonlocal calls
        calls += 1
        if calls > 10:
            raise ConnectionResetError
        return source()

    with pytest.raises((LadingError, ConnectionResetError)):
        snapshots.stage(pull)
    assert set(described(tmp_path)) == before


def test_later_entries_replace_earlier_ones(snapshots: OverlaySnapshots) -> None:
    archive = packed(
        member("a", DIRECTORY),
        (member("a/inside"), b"old"),
        (member("a"), b"now a file"),
        (member("b"), b"old"),
        member("b", DIRECTORY),
        (member("b/inside"), b"new"),
        (member("c"), b"old"),
        member("c", SYMLINK, linkname="b"),
        (member("d"), b"old"),
        (member("d"), b"new"),
        (member("e"), b"same"),
        member("e", LINK, linkname="e"),
    )
    root = Path(snapshots.stage(pull_from(archive)).directory)
    assert (root / "a").read_bytes() == b"now a file"
    assert (root / "b/inside").read_bytes() == b"new"
    assert os.readlink(root / "c") == "b"
    assert (root / "d").read_bytes() == b"new"
    assert (root / "e").read_bytes() == b"same"


def test_very_deep_trees_can_be_removed_again(tmp_path: Path, snapshots: OverlaySnapshots) -> None:
    # Links let an archive build deeper than any path may be long.
    members: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]] = []
    base = ""
    for number in range(6):
        deep = base + "/".join(["x"] * 1500)
        members += [(member(f"{deep}/file"), b"x"), member(f"l{number}", SYMLINK, linkname=deep)]
        base = f"l{number}/"
    staged = snapshots.stage(pull_from(packed(*members)))
    snapshots.discard(staged)
    assert not os.path.exists(staged.directory)
    assert os.listdir(tmp_path / "snapshots/.trash") == []
