"""Every compression layers come in, in one member or many, whole or damaged."""

import bz2
import gzip
import lzma
import random
import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.content import detect, inflate
from lading.errors import InvalidParameter

TEXT = random.Random(1).randbytes(200_000) + b"compressible " * 50_000


def zstd(data: bytes) -> bytes:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


def restored(data: bytes, size: int = 10_000) -> bytes:
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
    pull = inflate(lambda: next(pieces, b""), detect(data))
    whole = b""
    while piece := pull():
        whole += piece
    assert next(pieces, None) is None, "something was left unread"
    return whole


@pytest.mark.parametrize("name", COMPRESSORS)
@pytest.mark.parametrize("size", [7, 10_000, 10_000_000])
def test_one_member(name: str, size: int) -> None:
    sample = TEXT[:3000] if size == 7 else TEXT
    assert restored(COMPRESSORS[name](sample), size) == sample


@pytest.mark.parametrize("name", COMPRESSORS)
def test_members_one_after_another(name: str) -> None:
    data = COMPRESSORS[name](TEXT[:5000]) + COMPRESSORS[name](b"") + COMPRESSORS[name](TEXT[5000:])
    assert restored(data) == TEXT


@pytest.mark.parametrize("name", COMPRESSORS)
def test_what_expands_a_thousandfold(name: str) -> None:
    zeros = bytes(20_000_000)
    assert restored(COMPRESSORS[name](zeros), 1 << 20) == zeros


@pytest.mark.parametrize("name", COMPRESSORS)
@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_truncation_is_noticed(name: str, keep: float) -> None:
    data = COMPRESSORS[name](TEXT)
    with pytest.raises(InvalidParameter, match=f"invalid {name} stream"):
        restored(data[: int(len(data) * keep)])


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_damage_is_noticed(name: str) -> None:
    data = bytearray(COMPRESSORS[name](TEXT))
    data[len(data) // 3] ^= 0xFF
    with pytest.raises(InvalidParameter, match=f"invalid {name} stream"):
        restored(bytes(data))


def test_padding_after_gzip_is_ignored() -> None:
    assert restored(gzip.compress(b"data") + bytes(1000)) == b"data"


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5), st.integers(1, 500))
def test_gzip_members_in_any_pieces(members: list[bytes], size: int) -> None:
    data = b"".join(gzip.compress(member) for member in members)
    assert restored(data, size) == b"".join(members)


def test_a_stream_that_asks_for_much_memory() -> None:
    frugal = {"mode": lzma.MODE_FAST, "mf": lzma.MF_HC3, "nice_len": 10, "depth": 1}

    def packed(dictionary: int) -> bytes:
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": dictionary, **frugal}]
        return lzma.compress(b"small", filters=filters)

    assert restored(packed(64 << 20)) == b"small"
    with pytest.raises(InvalidParameter, match="Memory usage limit exceeded"):
        restored(packed(512 << 20))
