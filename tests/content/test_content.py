"""Blobs come back byte for byte, and what was not finished leaves nothing."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from lading.content import Content
from lading.errors import InvalidParameter, NotFound
from lading.state import Database


@pytest.fixture
def content(tmp_path: Path) -> Content:
    opened = Content(str(tmp_path / "content"), Database(str(tmp_path / "state.db")))
    opened.open()
    return opened


def reopened(tmp_path: Path) -> Content:
    again = Content(str(tmp_path / "content"), Database(str(tmp_path / "state.db")))
    again.open()
    return again


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "content").rglob("*") if path.is_file())


def test_a_blob_is_there_after_a_restart(tmp_path: Path, content: Content) -> None:
    arrived = content.ingest()
    arrived.write(b"one")
    arrived.write(memoryview(b"two"))
    digest = arrived.finish()
    assert digest == "sha256:" + hashlib.sha256(b"onetwo").hexdigest()
    assert not content.has(digest)
    content.keep(arrived, "text/plain")
    again = reopened(tmp_path)
    assert (again.read(digest), again.size(digest), again.media_type(digest)) == (b"onetwo", 6, "text/plain")


def test_a_wrong_digest_is_refused_and_leaves_nothing(tmp_path: Path, content: Content) -> None:
    with pytest.raises(InvalidParameter, match="digest mismatch"):
        content.write(b"something", expected="sha256:" + "0" * 64)
    assert files(tmp_path) == []


def test_what_a_crash_left_goes_at_the_next_start(tmp_path: Path, content: Content) -> None:
    kept = content.write(b"kept")
    content.ingest().write(b"half")
    lost = "f" * 64
    Path(content.path(f"sha256:{lost}")).write_bytes(b"renamed, never recorded")
    again = reopened(tmp_path)
    assert files(tmp_path) == [kept.removeprefix("sha256:")]
    assert again.read(kept) == b"kept"


def test_the_same_blob_twice_is_one(tmp_path: Path, content: Content) -> None:
    assert content.write(b"same") == content.write(b"same")
    assert len(files(tmp_path)) == 1


def test_removal(tmp_path: Path, content: Content) -> None:
    kept, gone = content.write(b"kept"), content.write(b"gone")

    async def remove() -> None:
        content.remove_all_but({kept})
        await content.close()

    asyncio.run(remove())
    assert content.digests() == {kept}
    assert files(tmp_path) == [kept.removeprefix("sha256:")]
    with pytest.raises(NotFound):
        content.read(gone)


def test_a_rollback_keeps_the_blob_unknown(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "state.db"))
    content = Content(str(tmp_path / "content"), database)
    content.open()
    written = []

    def write_and_fail() -> None:
        with database.transaction():
            written.append(content.write(b"in vain"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    (digest,) = written
    assert not content.has(digest)
    content.write(b"in vain")
    assert content.read(digest) == b"in vain"
    assert os.path.dirname(content.path(digest)).endswith("blobs/sha256")
