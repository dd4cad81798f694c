"""Archives damaged at random unpack or are refused; nothing else happens."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from lading.errors import LadingError
from lading.snapshots import Limits, OverlaySnapshots
from lading.state import Database

from .test_unpack import rich_tree
from .trees import described, pull_from

BLOCK = 512


def _damaged(chance: random.Random, archive: bytes) -> bytes:
    data = bytearray(archive)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(data))
        block = at // BLOCK * BLOCK
        match chance.randrange(6):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at:]
            case 2:
                other = chance.randrange(len(data)) // BLOCK * BLOCK
                data[block : block + BLOCK] = data[other : other + BLOCK]
            case 3:
                del data[block : block + BLOCK]
            case 4:
                data[block:block] = chance.randbytes(BLOCK)
            case 5:
                _change_header(chance, data, block)
        if len(data) < BLOCK:
            break
    return bytes(data)


def _change_header(chance: random.Random, data: bytearray, block: int) -> None:
    """A header with a wrong field but the right sum: it is taken at its word."""
    header = data[block : block + BLOCK]
    if len(header) < BLOCK:
        return
    start, end = chance.choice(
        ((0, 100), (100, 108), (108, 116), (124, 136), (136, 148), (156, 157), (157, 257))
    )
    values = (
        b"\xff" * 100,
        b"\x80" + bytes(99),
        b"7" * 100,
        b"../" * 33 + b"x",
        bytes(100),
        chance.randbytes(100),
    )
    header[start:end] = chance.choice(values)[: end - start]
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[block : block + BLOCK] = header


@pytest.fixture(scope="module", params=["gnu", "posix"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Small files of every kind, in few blocks: most of it is headers."""
    root = tmp_path_factory.mktemp("rich")
    rich_tree(root)
    (root / "usr/bin/program").write_bytes(os.urandom(700))
    options = [f"--format={request.param}", "-S", "--xattrs", "--xattrs-include=*"]
    return subprocess.run(
        ["tar", "-C", root, *options, "-cf", "-", "."], capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("seed", range(3))
def test_damage(tmp_path: Path, archive: bytes, seed: int) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    root = tmp_path / "s"
    (root / ".trash").mkdir(parents=True)
    # A size out of nowhere is no reason to fill the disk.
    snapshots = OverlaySnapshots(str(root), Database(":memory:"), Limits(size=1 << 30))
    before = described(outside)
    chance = random.Random(seed)
    outcomes = set()
    for _ in range(30):
        try:
            staged = snapshots.stage(pull_from(_damaged(chance, archive)))
        except LadingError as error:
            outcomes.add("refused" if error.message else "refused without a word")
        else:
            snapshots.inherit(staged, [])
            snapshots.discard(staged)
            outcomes.add("taken")
        assert os.listdir(root) == [".trash"]
        assert os.listdir(root / ".trash") == []
    assert outcomes == {"refused", "taken"}
    assert sorted(os.listdir(tmp_path)) == ["outside", "s"]
    assert described(outside) == before
