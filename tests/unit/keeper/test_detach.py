"""Detach keys, wherever reads happen to cut what is typed."""

from hypothesis import given
from hypothesis import strategies as st

from lading.keeper.detach import DetachKeys

KEYS = b"\x10\x11"


def typed(keys: bytes, reads: list[bytes]) -> tuple[bytes, bool]:
    matcher = DetachKeys(keys)
    passed = b""
    for read in reads:
        forward, detached = matcher.feed(read)
        passed += forward
        if detached:
            return passed, True
    return passed + matcher.held, False


def test_the_sequence_detaches_and_is_not_passed_on() -> None:
    assert typed(KEYS, [b"ls\n", KEYS]) == (b"ls\n", True)
    assert typed(KEYS, [b"a\x10", b"\x11b"]) == (b"a", True)


def test_a_beginning_that_is_not_completed_is_passed_on() -> None:
    assert typed(KEYS, [b"\x10", b"x"]) == (b"\x10x", False)
    assert typed(KEYS, [b"\x10", b"\x10", b"\x11"]) == (b"\x10", True)


def test_without_keys_everything_passes() -> None:
    assert typed(b"", [b"a", KEYS]) == (b"a" + KEYS, False)


@given(
    st.lists(st.sampled_from(b"ab"), min_size=1, max_size=4).map(bytes),
    st.lists(st.lists(st.sampled_from(b"abc"), max_size=5).map(bytes), max_size=8),
)
def test_reads_do_not_matter(keys: bytes, reads: list[bytes]) -> None:
    text = b"".join(reads)
    before, found, _ = text.partition(keys)
    assert typed(keys, reads) == (before, bool(found))
