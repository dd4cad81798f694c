"""Compressing blobs for registries."""

import gzip
import lzma
import os
from pathlib import Path

import pytest

from lading.content import Ingest, deflate


def _deflated(source: Path, tmp_path: Path) -> Ingest:
    into = Ingest(str(tmp_path))
    deflate(str(source), into, lambda _: None)
    into.finish()
    return into


def test_what_was_deflated_is_the_same_again(tmp_path: Path) -> None:
    data = os.urandom(300_000) + bytes(700_001) + b"end"
    source = tmp_path / "plain"
    source.write_bytes(data)
    made = _deflated(source, tmp_path)
    packed = Path(made.path).read_bytes()
    assert gzip.decompress(packed) == data
    assert made.size == len(packed) < len(data)
    assert _deflated(source, tmp_path).digest == made.digest


def test_other_compression_is_undone_first(tmp_path: Path) -> None:
    source = tmp_path / "packed.xz"
    source.write_bytes(lzma.compress(b"some text" * 1000))
    plain = tmp_path / "plain"
    plain.write_bytes(b"some text" * 1000)
    assert _deflated(source, tmp_path).digest == _deflated(plain, tmp_path).digest


def test_it_tells_how_far_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    source = tmp_path / "plain"
    source.write_bytes(bytes(1_000_000))
    told: list[int] = []
    deflate(str(source), Ingest(str(tmp_path)), told.append)
    assert told == sorted(told)
    assert told[-1] == 1_000_000

    def stop(_done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        deflate(str(source), Ingest(str(tmp_path)), stop)
