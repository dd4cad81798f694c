"""What the journal gives a new keeper, at each point the old one may have died."""

import os
from collections.abc import Iterator

import pytest

from lading.keeper.journal import Journal


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def after_death(journal: Journal) -> Journal:
    return Journal(os.dup(journal.file))


def test_nothing_is_in_flight_after_a_commit(pipe: tuple[int, int]) -> None:
    journal = Journal()
    slot = journal.claim()
    os.write(pipe[1], b"hello")
    assert journal.take(pipe[0], slot, 7, 100) == b"hello"
    journal.commit()
    assert after_death(journal).in_flight is None


def test_a_chunk_that_was_taken_is_found_again_with_the_log_as_it_was(pipe: tuple[int, int]) -> None:
    journal = Journal()
    slot = journal.claim()
    os.write(pipe[1], b"hello")
    journal.take(pipe[0], slot, 7, 100)
    flying = after_death(journal).in_flight
    assert flying is not None
    assert (flying.slot, flying.inode, flying.size, flying.done, flying.data) == (slot, 7, 100, 0, b"hello")


def test_an_empty_pipe_and_a_closed_one(pipe: tuple[int, int]) -> None:
    journal = Journal()
    slot = journal.claim()
    with pytest.raises(BlockingIOError):
        journal.take(pipe[0], slot, 0, 0)
    reading, writing = os.pipe()
    os.close(writing)
    assert journal.take(reading, slot, 0, 0) == b""
    os.close(reading)


def test_the_beginning_of_a_line_counts_once_its_chunk_is_committed(pipe: tuple[int, int]) -> None:
    journal = Journal()
    slot = journal.claim()
    journal.keep(slot, b"old", False)
    os.write(pipe[1], b"more")
    journal.take(pipe[0], slot, 1, 2)
    journal.keep(slot, b"new", True)
    assert after_death(journal).restore(slot) == (b"old", False)
    os.write(pipe[1], b"still more")
    journal.take(pipe[0], slot, 1, 2)
    journal.keep(slot, b"new", True)
    journal.commit()
    assert after_death(journal).restore(slot) == (b"new", True)


def test_a_fresh_slot_remembers_nothing() -> None:
    journal = Journal()
    first = journal.claim()
    journal.keep(first, b"secret", True)
    journal.release(first)
    assert journal.claim() == first
    assert after_death(journal).restore(first) == (b"", False)
