"""Cutting streams into lines: the same lines come out however the stream arrives."""

from hypothesis import given
from hypothesis import strategies as st

from lading.keeper.lines import LAST, PART, PIECE, WHOLE, Splitter


def logged(chunks: list[bytes]) -> list[tuple[int, bytes]]:
    """Every line and piece, one by one, as a reader of the log would see them."""
    splitter = Splitter()
    runs = [run for chunk in chunks for run in splitter.feed(chunk)] + splitter.finish()
    found: list[tuple[int, bytes]] = []
    for kind, text in runs:
        if kind == WHOLE:
            assert text.endswith(b"\n")
            found += [(WHOLE, line) for line in text[:-1].split(b"\n")]
        else:
            found.append((kind, text))
    return found


def test_short_lines_and_a_last_one_without_newline() -> None:
    assert logged([b"one\ntw", b"o\n\nthr", b"ee"]) == [
        (WHOLE, b"one"),
        (WHOLE, b"two"),
        (WHOLE, b""),
        (PART, b"three"),
    ]


def test_a_line_of_exactly_one_piece_ends_with_an_empty_piece() -> None:
    assert logged([b"x" * PIECE + b"\nnext\n"]) == [(PART, b"x" * PIECE), (LAST, b""), (WHOLE, b"next")]


def test_a_line_one_byte_shorter_than_a_piece_stays_whole() -> None:
    assert logged([b"x" * (PIECE - 1) + b"\n"]) == [(WHOLE, b"x" * (PIECE - 1))]


def test_a_long_line_is_cut_into_pieces() -> None:
    line = bytes(range(32, 127)) * 400
    assert logged([b"a\n" + line + b"\nb\n"]) == [
        (WHOLE, b"a"),
        (PART, line[:PIECE]),
        (PART, line[PIECE : 2 * PIECE]),
        (LAST, line[2 * PIECE :]),
        (WHOLE, b"b"),
    ]


LINES = st.lists(
    st.one_of(
        st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"")),
        st.integers(PIECE - 2, 2 * PIECE + 2).map(lambda length: b"x" * length),
    ),
    max_size=8,
)


@given(LINES, st.booleans(), st.lists(st.integers(1, 40_000), max_size=10))
def test_how_a_stream_arrives_does_not_matter(lines: list[bytes], ended: bool, sizes: list[int]) -> None:
    stream = b"\n".join(lines) + (b"\n" if ended else b"")
    chunks, place = [], 0
    for size in sizes:
        chunks.append(stream[place : place + size])
        place += size
    chunks.append(stream[place:])
    found = logged(chunks)
    assert found == logged([stream])
    assert b"".join(text if kind == PART else text + b"\n" for kind, text in found) == stream
    assert all(len(text) <= PIECE for _, text in found)
