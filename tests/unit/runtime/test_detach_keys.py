"""Detach keys in docker's words."""

import pytest

from lading.errors import InvalidParameter
from lading.runtime import detach_sequence


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", b"\x10\x11"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-a", b"\x01"),
        ("ctrl-A,b", b"\x01b"),
        ("a,b,c", b"abc"),
        ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x00\x1b\x1c\x1d\x1e\x1f"),
        ("DEL", b"\x7f"),
    ],
)
def test_words_and_keys(text: str, keys: bytes) -> None:
    assert detach_sequence(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-1", "ab", "ctrl-p,,ctrl-q", "ctrl-pq", "é"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid escape keys"):
        detach_sequence(text)
