"""The OCI runtime's program as containers could reach it."""

import os
from pathlib import Path

import pytest

from lading.linux import mounts
from lading.runtime.program import protected, unprotect

PROGRAM = "/usr/bin/env"


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"{tmp_path}/programs/env"


def test_nobody_can_write_to_it(target: str) -> None:
    call = protected(PROGRAM, target)
    try:
        assert os.statvfs(call).f_flag & os.ST_RDONLY
        with pytest.raises(OSError, match="Read-only file system"):
            os.open(call, os.O_WRONLY)
        assert os.stat(call).st_ino == os.stat(PROGRAM).st_ino
    finally:
        unprotect(target)
    assert not os.path.exists(target)


def test_what_an_earlier_daemon_mounted_is_replaced(target: str) -> None:
    protected("/usr/bin/id", target)
    call = protected(PROGRAM, target)
    try:
        assert os.stat(call).st_ino == os.stat(PROGRAM).st_ino
    finally:
        unprotect(target)
    assert target not in {entry.target for entry in mounts.table()}, "one mount, not a pile"


def test_what_cannot_be_mounted_is_called_where_it_is(target: str) -> None:
    assert protected("/nowhere", target) == "/nowhere"
    assert not os.path.exists(target)
