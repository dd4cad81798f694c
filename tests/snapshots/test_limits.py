"""Archives that would unpack to more than there is room for are refused, and leave nothing."""

import gzip
import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lading.content import Compression, inflate
from lading.errors import InternalError, InvalidParameter, LadingError, TooLarge
from lading.linux import mounts
from lading.linux.trees import remove_tree
from lading.snapshots import Limits, OverlaySnapshots, trash
from lading.state import Database

from .trees import described, member, packed, pull_from

DIRECTORY = tarfile.DIRTYPE
Pull = Callable[[], bytes]


def limited(root: Path, limits: Limits | None = None) -> OverlaySnapshots:
    (root / ".trash").mkdir(parents=True)
    return OverlaySnapshots(str(root), Database(":memory:"), limits)


def left(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = member(name, kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def endless(*starts: bytes) -> Pull:
    """Pieces that begin so, and then zeros without end."""
    waiting = list(starts)
    zeros = bytes(1 << 20)
    return lambda: waiting.pop(0) if waiting else zeros


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MiB and a thousand files."""
    root = tmp_path / "small"
    root.mkdir()
    mounts.mount("tmpfs", str(root), "tmpfs", 0, "size=32m,nr_inodes=1000")
    yield root
    mounts.unmount(str(root))


@pytest.mark.parametrize(
    ("limits", "members"),
    [
        (Limits(entries=5), [(member(f"f{number}"), b"") for number in range(6)]),
        (Limits(entries=5), [member("a/b/c/d/e/f", DIRECTORY)]),
        (Limits(size=1000), [(member("f"), b"x" * 1001)]),
        (Limits(directories=5), [member(f"d{number}", DIRECTORY) for number in range(6)]),
        (Limits(directories=5), [(member("a/b/c/d/e/f/g"), b"")]),
    ],
)
def test_each_limit(tmp_path: Path, limits: Limits, members: list[tarfile.TarInfo]) -> None:
    snapshots = limited(tmp_path / "s", limits)
    with pytest.raises(TooLarge, match="more than"):
        snapshots.stage(pull_from(packed(*members)))
    assert left(tmp_path / "s") == [".trash"]


def test_what_is_just_allowed(tmp_path: Path) -> None:
    snapshots = limited(tmp_path / "s", Limits(entries=4, size=10, directories=2))
    archive = packed(member("a", DIRECTORY), (member("a/b"), b"12345"), (member("a/c/d"), b"67890"))
    assert snapshots.stage(pull_from(archive)).size == 10


def test_a_directory_said_again_counts_once(tmp_path: Path) -> None:
    snapshots = limited(tmp_path / "s", Limits(directories=1))
    snapshots.stage(pull_from(packed(*[member("a", DIRECTORY) for _ in range(5)])))


def test_endless_zeros_as_a_file(small: Path) -> None:
    snapshots = limited(small / "s")
    with pytest.raises(InternalError, match="no space left on device"):
        snapshots.stage(endless(header("zeros", 1 << 40)))
    assert left(small / "s") == [".trash"]
    assert os.statvfs(small).f_bavail > os.statvfs(small).f_blocks * 0.9


def test_endless_files(small: Path) -> None:
    snapshots = limited(small / "s")
    number = 0

    def pull() -> bytes:
        nonlocal number
        number += 1
        return header(f"f{number}", 0)

    with pytest.raises(InternalError, match=r"no space left on device: there is room for \d+ entries"):
        snapshots.stage(pull)
    assert left(small / "s") == [".trash"]


def test_a_disk_that_fills_up_meanwhile(small: Path) -> None:
    snapshots = limited(small / "s")
    filler = small / "filler"

    def pull_and_fill() -> Iterator[bytes]:
        yield header("big", 20 << 20)
        filler.write_bytes(bytes(26 << 20))
        yield from iter([bytes(1 << 20)] * 20)

    pieces = pull_and_fill()
    with pytest.raises(InternalError, match="cannot unpack 'big': No space left on device"):
        snapshots.stage(lambda: next(pieces, b""))
    assert left(small / "s") == [".trash"]


def test_holes_take_no_room(small: Path) -> None:
    snapshots = limited(small / "s")
    sparse = small / "sparse"
    with open(sparse, "wb") as file:
        file.seek(1 << 34)
        file.write(b"end")
    archive = subprocess.run(
        ["tar", "-C", small, "-S", "--format=posix", "-cf", "-", "sparse"], capture_output=True, check=True
    ).stdout
    staged = snapshots.stage(pull_from(archive))
    assert staged.size == (1 << 34) + 3
    assert os.stat(f"{staged.directory}/sparse").st_blocks < 100


def test_endless_zeros_after_the_end(tmp_path: Path) -> None:
    snapshots = limited(tmp_path / "s")
    with pytest.raises(InvalidParameter, match="too much data after the end"):
        snapshots.stage(endless(packed((member("f"), b"x"))))
    assert left(tmp_path / "s") == [".trash"]


def test_a_bomb_of_gzip(small: Path) -> None:
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=9) as file:
        file.write(header("zeros", 200 << 20))
        for _ in range(200):
            file.write(bytes(1 << 20))
    data = buffer.getvalue()
    assert len(data) < 300_000
    snapshots = limited(small / "s")
    with pytest.raises(InternalError, match="no space left on device"):
        snapshots.stage(inflate(pull_from(data), Compression.GZIP))
    assert left(small / "s") == [".trash"]


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_an_extended_header_of_gigabytes(tmp_path: Path, kind: bytes) -> None:
    snapshots = limited(tmp_path / "s")
    with pytest.raises(InvalidParameter, match=r"extended header of \d+ bytes is too large"):
        snapshots.stage(endless(header("x", 4 << 30, kind)))
    assert left(tmp_path / "s") == [".trash"]


def test_ten_thousand_directories_deep(tmp_path: Path) -> None:
    snapshots = limited(tmp_path / "s")
    with pytest.raises(LadingError, match=r"File name too long"):
        snapshots.stage(pull_from(packed((member("/".join(["d"] * 10_000)), b"x"))))
    assert left(tmp_path / "s") == [".trash"]


def test_replacing_directories_without_end_takes_no_time(tmp_path: Path) -> None:
    # Each replacement once looked through all directories: this archive took minutes.
    members: list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]] = [
        member(f"d{number}", DIRECTORY) for number in range(5000)
    ]
    for _ in range(5000):
        members += [member("x", DIRECTORY), (member("x"), b"")]
    members += [member("x", DIRECTORY, mode=0o700), member("x/y", DIRECTORY, mode=0o711)]
    staged = limited(tmp_path / "s").stage(pull_from(packed(*members)))
    found = described(staged.directory)
    assert len(found) == 5002
    assert (found["x"][1], found["x/y"][1]) == (0o700, 0o711)


def test_what_was_said_of_a_directory_goes_with_it(tmp_path: Path) -> None:
    archive = packed(
        member("a", DIRECTORY, mode=0o700, uid=5),
        member("a/b", DIRECTORY, mode=0o700, uid=5),
        (member("a"), b"a file now"),
        member("a", DIRECTORY, mode=0o711),
        (member("a/b/c"), b""),
    )
    found = described(limited(tmp_path / "s").stage(pull_from(archive)).directory)
    assert [found[path][1:3] for path in ("a", "a/b")] == [(0o711, 0), (0o755, 0)]


def test_two_removers_keep_out_of_each_others_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The thread that empties the trash, and a failed layer that goes at once: one took away what the
    # other stood on, and the client heard of that instead of what was wrong with the layer.
    snapshots = limited(tmp_path / "s")
    seen: list[str] = []

    def emptied_meanwhile(path: str) -> None:
        if not seen:
            seen.append(path)
            snapshots._trash._empty_now()
            assert os.path.exists(path)
        remove_tree(path)

    monkeypatch.setattr(trash, "remove_tree", emptied_meanwhile)
    with pytest.raises(InvalidParameter, match="unexpected EOF"):
        snapshots.stage(pull_from(packed((member("d/f"), b"x" * 9000))[:3000]))
    assert len(seen) == 1
    assert left(tmp_path / "s") == [".trash"]
