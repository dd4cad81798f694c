"""Damaged and hostile archives: refused clearly, and never a step outside."""

import os
import random
import tarfile
from pathlib import Path

import pytest

from lading.errors import LadingError
from lading.linux.copy_into import CopyInto
from lading.snapshots import remove_entry

from .trees import member, packed, pull_from

HOSTILE = (
    b"../../outside",
    b"/outside",
    b"l/../../../outside",
    b"up/outside",
    b".",
    b"..",
    b"d/f/x",
    b"\xff\xfe",
)
WHOLE = packed(
    member("d", tarfile.DIRTYPE),
    (member("d/f"), b"data" * 300),
    member("l", tarfile.SYMTYPE, linkname="d"),
    member("up", tarfile.SYMTYPE, linkname="../.."),
    member("h", tarfile.LNKTYPE, linkname="d/f"),
    member("p", tarfile.FIFOTYPE),
    (member("x" * 150 + "/" + "y" * 120), b"z"),
    (member("g", pax_headers={"SCHILY.xattr.user.a": "b"}), b"q"),
    member("l/in"),
)


def _damaged(dice: random.Random) -> bytes:
    data = bytearray(WHOLE)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(data) // 512) * 512
        match dice.randrange(4):
            case 0:
                data[at + dice.randrange(512)] = dice.randrange(256)
            case 1:
                data[at + 156] = dice.choice(b"0123456789gxLKSVD\0")
            case 2:
                data[at : at + 100] = dice.choice(HOSTILE).ljust(100, b"\0")
            case 3 if len(data) > 4096:
                del data[at : at + dice.choice((1, 100, 512))]
    for at in range(0, len(data) - 511, 512):
        if data[at + 257 : at + 262] == b"ustar" and dice.random() < 0.9:
            data[at + 148 : at + 156] = b"        "
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_an_archive_says(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    (tmp_path / "outside").write_text("safe")
    (tmp_path / "root").mkdir()
    root = os.open(tmp_path / "root", os.O_RDONLY | os.O_DIRECTORY)
    before = len(os.listdir("/proc/self/fd"))
    outcomes = set()
    try:
        for _ in range(300):
            copy = CopyInto(
                root, lambda entry: None, shown="/", keep_kinds=dice.random() < 0.5, displace=remove_entry
            )
            try:
                copy.run(pull_from(_damaged(dice), 1000))
            except LadingError as error:
                outcomes.add(error.status)
            else:
                outcomes.add(200)
        assert len(os.listdir("/proc/self/fd")) <= before
    finally:
        os.close(root)
    assert {200, 400} <= outcomes <= {200, 400, 413}
    assert sorted(os.listdir(tmp_path)) == ["outside", "root"]
    assert (tmp_path / "outside").read_text() == "safe"
