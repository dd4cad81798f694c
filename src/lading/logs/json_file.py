r"""Docker's `json-file` format: one JSON object a line. Pure.

{"log":"text\n","stream":"stdout","attrs":{…},"time":"2024-01-02T03:04:05.678Z"}
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from lading.errors import InvalidParameter
from lading.logs.contract import Record, Search
from lading.units import parse_rfc3339, rfc3339_fixed

_BLOCK = 64 * 1024
_START = b'{"log":'
_FIXED_LENGTH = len("2006-01-02T15:04:05.000000000Z")


class _Line(Struct, gc=False):
    log: str = ""
    stream: str = ""
    time: str = ""
    attrs: Mapping[str, str] | None = None


_decoder = msgspec.json.Decoder(_Line)


class JsonFile:
    """See `contract.Format`."""

    def records(self, block: bytes, *, timed: bool) -> tuple[list[Record], int]:
        end = block.rfind(b"\n") + 1
        whole = block if end == len(block) else block[:end]
        try:
            lines = _decoder.decode_lines(whole)
        except (msgspec.DecodeError, UnicodeDecodeError):
            lines = [line for text in whole.split(b"\n") if (line := _salvage(text)) is not None]
        if timed:
            return [(line.stream, line.log.encode(), fixed(line.time), line.attrs) for line in lines], end
        return [(line.stream, line.log.encode(), "", line.attrs) for line in lines], end

    def tail(self, size: int, count: int) -> Search:
        # The newline that ends the last record is not one that begins a record.
        wanted, found, position = count + 1, 0, size
        while position > 0:
            start = max(position - _BLOCK, 0)
            block = yield start, position - start
            here = block.count(b"\n")
            if found + here >= wanted:
                return start + _last(block, wanted - found) + 1, count
            found += here
            position = start
        return 0, found


def _last(block: bytes, number: int) -> int:
    """Where the `number`th newline from the end is."""
    place = len(block)
    for _ in range(number):
        place = block.rfind(b"\n", 0, place)
    return place


def _salvage(text: bytes) -> _Line | None:
    """A record that a crash put behind the torn beginning of another."""
    for start in (0, text.rfind(_START)):
        if start >= 0:
            try:
                return _decoder.decode(text[start:])
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
    return None


def fixed(time: str) -> str:
    """A time as Go prints it, with nine fractional digits, so that times sort as text."""
    if not time.endswith("Z"):
        try:
            return rfc3339_fixed(parse_rfc3339(time))
        except InvalidParameter:
            return rfc3339_fixed(0)
    if len(time) == _FIXED_LENGTH:
        return time
    seconds, _, fraction = time[:-1].partition(".")
    return f"{seconds}.{fraction:0<9}Z"
