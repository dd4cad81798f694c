"""What a log driver is, and what the keeper is told of a container's log."""

from collections.abc import Generator, Mapping
from typing import NamedTuple, Protocol, TypedDict

from msgspec import Struct

Record = tuple[str, bytes, str, Mapping[str, str] | None]
"""One entry of a log: "stdout" or "stderr", its text, its time as `units.rfc3339_fixed`
writes it (empty where nobody asked for it) and the container's attributes."""

Search = Generator[tuple[int, int], bytes, tuple[int, int]]
"""Yields (offset, length) of what it wants to be sent of a file; returns its result."""


class Partial(NamedTuple):
    """Which piece of a line longer than 16 KiB an entry holds; `ordinal` counts from 1."""

    id: str
    ordinal: int
    last: bool


class Entry(NamedTuple):
    """One entry of a log as a log server gets it: the line without newline, the time in ns since 1970."""

    stream: str
    time_ns: int
    line: bytes
    partial: Partial | None = None


class Sink(TypedDict):
    """Where and how the keeper writes a log; plain JSON.

    `max_size` is in bytes, 0 for no limit; `max_file` counts the file being
    written too; `attrs` is JSON text, empty where there is nothing to add.
    """

    driver: str
    path: str
    max_size: int
    max_file: int
    compress: bool
    attrs: str


class LogFacts(Struct, frozen=True, kw_only=True):
    """What a log may say of its container."""

    container_id: str
    name: str
    image_id: str = ""
    image_name: str = ""
    command: list[str] = []
    env: list[str] = []
    labels: Mapping[str, str] = {}
    daemon_name: str = "docker"
    created_ns: int = 0


class Format(Protocol):
    """How a log file spells its records. Pure."""

    def records(self, block: bytes, *, timed: bool) -> tuple[list[Record], int]:
        """The whole records at the front of `block`, and how many bytes they take.

        Damaged ones are passed over. Times are given only where `timed` asks for them.
        """
        ...

    def tail(self, size: int, count: int) -> Search:
        """Where the last `count` records in a file's first `size` bytes begin, and how many there are."""
        ...
