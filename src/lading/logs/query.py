"""What a client wants to see of a log, and the bytes that show it. Pure.

Source: Engine API 1.51, ContainerLogs, and ContainerAttach for the framing.
"""

import struct
from collections.abc import Mapping
from urllib.parse import quote_plus

from msgspec import Struct

from lading.logs.contract import Record
from lading.units import rfc3339_fixed

_header = struct.Struct(">BxxxI").pack
_NUMBERS = {"stdout": 1, "stderr": 2}


class LogQuery(Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since 1970, 0 for no bound; a negative `tail` means all.

    As with dockerd, `tail` counts the records of both streams before anything
    else is left out.
    """

    stdout: bool = True
    stderr: bool = True
    since_ns: int = 0
    until_ns: int = 0
    tail: int = -1
    follow: bool = False
    timestamps: bool = False
    details: bool = False


class Encoder:
    """Turns records into what the client gets.

    `framed` puts the stream's number and the length before each record, which
    a terminal's output does without.
    """

    def __init__(self, query: LogQuery, *, framed: bool) -> None:
        self._query = query
        self._framed = framed
        self._since = rfc3339_fixed(query.since_ns) if query.since_ns > 0 else ""
        self._until = rfc3339_fixed(query.until_ns) if query.until_ns > 0 else ""
        self.timed = bool(query.timestamps or self._since or self._until)
        self.done = False
        """Whether a record later than `until` was seen."""

    def encode(self, records: list[Record]) -> bytes:
        """The bytes for these records; empty where none is wanted."""
        records = self._chosen(records)
        if self._query.timestamps or self._query.details:
            texts = [self._before(record) + record[1] for record in records]
        else:
            texts = [record[1] for record in records]
        if not self._framed:
            return b"".join(texts)
        pieces = [b""] * (2 * len(texts))
        pieces[0::2] = [
            _header(_NUMBERS.get(record[0], 1), len(text))
            for record, text in zip(records, texts, strict=True)
        ]
        pieces[1::2] = texts
        return b"".join(pieces)

    def _chosen(self, records: list[Record]) -> list[Record]:
        if self._until:
            for place, record in enumerate(records):
                if record[2] > self._until:
                    self.done = True
                    records = records[:place]
                    break
        if self._since:
            records = [record for record in records if record[2] >= self._since]
        query = self._query
        if not (query.stdout and query.stderr):
            wanted = "stdout" if query.stdout else "stderr" if query.stderr else ""
            records = [record for record in records if record[0] == wanted]
        return records

    def _before(self, record: Record) -> bytes:
        time = f"{record[2]} " if self._query.timestamps else ""
        details = f"{details_text(record[3] or {})} " if self._query.details else ""
        return f"{time}{details}".encode()


def details_text(attributes: Mapping[str, str]) -> str:
    """Attributes as `docker logs --details` shows them: "key=value,key=value", sorted and URL-encoded."""
    return ",".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in sorted(attributes.items()))
