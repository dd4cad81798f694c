"""Reading tar archives in every dialect that layers come in.

Source: POSIX.1-2017 pax (ustar and extended headers), the GNU tar manual
("Basic Tar Format", "Sparse Formats"), star's and libarchive's attributes, and
the choices of Go's archive/tar, with which layers are made and read elsewhere.
Names and link targets stay bytes: archives do not say in which encoding.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

BLOCK = 512
REGULAR, HARD_LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = (
    b"0",
    b"1",
    b"2",
    b"3",
    b"4",
    b"5",
    b"6",
)

_WITHOUT_DATA = frozenset({HARD_LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO})
_REGULAR_ALIASES = frozenset({b"\0", b"7", b"S"})
_ZEROS = bytes(BLOCK)
# Go refuses larger extended headers too; nothing honest comes near. Here it is for all that precede a member.
_MAX_EXTENSION = 1 << 20
# Smaller, since every member that follows is looked at together with it.
_MAX_GLOBAL = 1 << 16
_MAX_SEGMENTS = 1 << 20

Segments = list[tuple[int, int]]
Pieces = Iterator[memoryview]


class TarError(ValueError):
    """The archive is malformed; the message says how."""


class Truncated(TarError):
    """The archive ends in the middle of something."""

    def __init__(self) -> None:
        super().__init__("unexpected EOF")


@dataclass(slots=True)
class Entry:
    """One member. `stored` is its bytes in the archive, `size` the file's own size.

    `segments` lists (offset, length) of the data of a sparse file, in the order
    the data comes; None where the file is not sparse.
    """

    name: bytes
    type: bytes = REGULAR
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    link: bytes = b""
    device_major: int = 0
    device_minor: int = 0
    xattrs: dict[bytes, bytes] | None = None
    segments: Segments | None = None
    stored: int = 0


class Reader:
    """Entries one after another from a source of pieces, holding one piece at a time.

    `pull` gives the next piece, empty at the end. Raises TarError.
    """

    def __init__(self, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._piece = b""
        self._at = 0
        self._left = 0
        self._padding = 0
        self._global: dict[bytes, bytes] = {}
        self._global_size = 0

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self.next()) is not None:
            yield entry

    def next(self) -> Entry | None:
        """The next member, or None once the archive has ended; skips data left unread."""
        long_name: bytes | None = None
        long_link: bytes | None = None
        extended: list[tuple[bytes, bytes]] = []
        allowed = _MAX_EXTENSION
        while True:
            self._skip()
            block = self._block()
            if block is None:
                return None
            _check_sum(block)
            kind = block[156:157]
            if kind in b"LKxXg":
                body = self._extension(_number(block, 124, 136), allowed)
                allowed -= len(body)
                if kind == b"L":
                    long_name = body.partition(b"\0")[0]
                elif kind == b"K":
                    long_link = body.partition(b"\0")[0]
                elif kind == b"g":
                    self._extend_all(_pax_records(body))
                else:
                    extended = _pax_records(body)
                continue
            if kind == b"V":
                self._expect(_number(block, 124, 136))
                continue
            entry = _parse_header(block)
            break
        if long_name is not None:
            entry.name = long_name
        if long_link is not None:
            entry.link = long_link
        if kind == b"S":
            entry.segments = self._old_sparse(block, entry)
        if self._global or extended:
            self._extend(entry, extended, kind)
        self._settle_type(entry, kind)
        return entry

    def data(self) -> Pieces:
        """The data of the member `next` gave last, in pieces as they came."""
        while self._left:
            if self._at >= len(self._piece):
                self._fill()
            view = memoryview(self._piece)[self._at : self._at + self._left]
            self._at += len(view)
            self._left -= len(view)
            yield view

    def read(self, limit: int) -> bytes:
        """All data of the present member. Raises TarError above `limit` bytes."""
        if self._left > limit:
            raise TarError(f"a member of {self._left} bytes is larger than the {limit} allowed here")
        return b"".join(self.data())

    def drain(self, limit: int) -> None:
        """Reads what follows the end marker, so that the whole source was seen.

        Raises TarError for more than `limit` bytes: few bytes of gzip can be very many zeros.
        """
        while piece := self._pull():
            limit -= len(piece)
            if limit < 0:
                raise TarError("too much data after the end of the archive")

    def _block(self) -> bytes | None:
        end = self._at + BLOCK
        if end <= len(self._piece):
            block = self._piece[self._at : end]
            self._at = end
        else:
            block = self._take(BLOCK, optional=True)
            if not block:
                return None
        if block == _ZEROS:
            return None
        return block

    def _take(self, count: int, optional: bool = False) -> bytes:
        parts: list[bytes] = []
        while count:
            if self._at >= len(self._piece):
                if optional and not parts:
                    self._piece, self._at = self._pull(), 0
                    if not self._piece:
                        return b""
                else:
                    self._fill()
            part = self._piece[self._at : self._at + count]
            self._at += len(part)
            count -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _fill(self) -> None:
        self._piece, self._at = self._pull(), 0
        if not self._piece:
            raise Truncated

    def _expect(self, size: int) -> None:
        self._left = size
        self._padding = -size % BLOCK

    def _skip(self) -> None:
        count = self._left + self._padding
        self._left = self._padding = 0
        while count:
            if self._at >= len(self._piece):
                self._fill()
            step = min(count, len(self._piece) - self._at)
            self._at += step
            count -= step

    def _extension(self, size: int, allowed: int) -> bytes:
        if size > allowed:
            raise TarError(f"an extended header of {size} bytes is too large")
        body = self._take(size)
        self._take(-size % BLOCK)
        return body

    def _extend_all(self, records: list[tuple[bytes, bytes]]) -> None:
        """Takes in what holds for every member from now on."""
        for key, value in records:
            former = self._global.get(key)
            self._global_size += len(value) - len(former) if former is not None else len(key) + len(value)
            self._global[key] = value
        if self._global_size > _MAX_GLOBAL:
            raise TarError("the global extended headers are too large")

    def _old_sparse(self, block: bytes, entry: Entry) -> Segments:
        segments: Segments = []
        fields, more = block[386:482], block[482]
        entry.size = _number(block, 483, 495)
        while True:
            for at in range(0, len(fields) - 23, 24):
                if not fields[at : at + 12].strip(b"\0 "):
                    break
                segments.append((_number(fields, at, at + 12), _number(fields, at + 12, at + 24)))
            if not more:
                return segments
            if len(segments) > _MAX_SEGMENTS:
                raise TarError("a sparse file has too many segments")
            following = self._take(BLOCK)
            fields, more = following[:504], following[504]

    def _extend(self, entry: Entry, extended: list[tuple[bytes, bytes]], kind: bytes) -> None:
        pax = {**self._global, **dict(extended)}
        _apply_pax(entry, pax)
        if b"GNU.sparse.name" in pax:
            entry.name = pax[b"GNU.sparse.name"]
        if b"GNU.sparse.realsize" in pax or b"GNU.sparse.size" in pax:
            entry.size = _decimal(pax.get(b"GNU.sparse.realsize") or pax[b"GNU.sparse.size"])
        if b"GNU.sparse.map" in pax:
            numbers = [_decimal(part) for part in pax[b"GNU.sparse.map"].split(b",") if part]
            entry.segments = _pairs(numbers)
        elif any(key == b"GNU.sparse.offset" for key, _ in extended):
            numbers = [
                _decimal(value)
                for key, value in extended
                if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
            ]
            entry.segments = _pairs(numbers)
        elif pax.get(b"GNU.sparse.major") == b"1" and kind in b"0\0":
            self._sparse_map_in_data(entry)

    def _sparse_map_in_data(self, entry: Entry) -> None:
        consumed = 0
        buffered = b""

        def number() -> int:
            nonlocal consumed, buffered
            while b"\n" not in buffered:
                if consumed + BLOCK > entry.stored or len(buffered) > BLOCK:
                    raise TarError("invalid sparse map")
                buffered += self._take(BLOCK)
                consumed += BLOCK
            line, _, buffered = buffered.partition(b"\n")
            return _decimal(line)

        count = number()
        if count > _MAX_SEGMENTS:
            raise TarError("a sparse file has too many segments")
        entry.segments = [(number(), number()) for _ in range(count)]
        entry.stored -= consumed

    def _settle_type(self, entry: Entry, kind: bytes) -> None:
        """Decides what the member is and how many bytes of it follow."""
        if kind in _REGULAR_ALIASES:
            entry.type = REGULAR
        # Before ustar a directory was a file whose name ends with a slash.
        if entry.type == REGULAR and entry.segments is None and entry.name.endswith(b"/"):
            entry.type = DIRECTORY
        if entry.type == b"D":
            # GNU's incremental dumps list the directory's names as data.
            entry.type = DIRECTORY
            self._expect(entry.stored)
            return
        if entry.type in _WITHOUT_DATA:
            entry.size = entry.stored = 0
        if entry.segments is not None:
            _check_segments(entry)
        self._expect(entry.stored)


def _parse_header(block: bytes) -> Entry:
    magic = block[257:265]
    name = _text(block, 0, 100)
    if magic[:6] == b"ustar\0":
        # star keeps times in the last part of the prefix and says so at the very end.
        prefix = _text(block, 345, 476 if block[508:512] == b"tar\0" else 500)
        if prefix:
            name = prefix + b"/" + name
    size = _number(block, 124, 136)
    entry = Entry(
        name,
        block[156:157],
        _number(block, 100, 108) & 0o7777,
        _number(block, 108, 116),
        _number(block, 116, 124),
        size,
        _number(block, 136, 148, signed=True) * 1_000_000_000,
        _text(block, 157, 257),
        stored=size,
    )
    if entry.type in (CHARACTER, BLOCK_DEVICE):
        entry.device_major = _number(block, 329, 337)
        entry.device_minor = _number(block, 337, 345)
    return entry


def _check_sum(block: bytes) -> None:
    said = _number(block, 148, 156)
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if said != total:
        # Some old tars summed the bytes as signed numbers.
        signed = total - 256 * sum(1 for byte in block[:148] + block[156:] if byte > 127)
        if said != signed:
            raise TarError("invalid tar header")


def looks_like_header(block: bytes) -> bool:
    """Whether these first 512 bytes can begin a tar archive (an empty one included)."""
    if block == _ZEROS:
        return True
    if len(block) != BLOCK:
        return False
    try:
        _check_sum(block)
    except TarError:
        return False
    return True


def _text(block: bytes, start: int, end: int) -> bytes:
    stop = block.find(b"\0", start, end)
    return block[start : end if stop < 0 else stop]


def _number(block: bytes, start: int, end: int, signed: bool = False) -> int:
    """The number in a field. Only a time may be before zero: a negative size would be read for ever."""
    field = block[start:end]
    if field and field[0] & 0x80:
        # GNU's base-256: big-endian two's complement below the marker bit.
        value = int.from_bytes(field, "big")
        bits = 8 * len(field)
        if not field[0] & 0x40:
            return value - (1 << (bits - 1))
        if not signed:
            raise TarError("invalid tar header: negative number")
        return value - (1 << bits)
    digits = field.partition(b"\0")[0].strip(b" ")
    if not digits:
        return 0
    # int() takes signs, underscores and prefixes too.
    if digits.strip(b"01234567"):
        raise TarError("invalid tar header: not a number")
    return int(digits, 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise TarError("invalid number in an extended tar header")
    return int(text)


def _pairs(numbers: list[int]) -> Segments:
    if len(numbers) % 2:
        raise TarError("invalid sparse map")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _check_segments(entry: Entry) -> None:
    reached = total = 0
    for offset, length in entry.segments or ():
        if offset < reached or length < 0:
            raise TarError("invalid sparse map")
        reached = offset + length
        total += length
    if total != entry.stored or reached > entry.size:
        raise TarError("invalid sparse map")


def _pax_records(body: bytes) -> list[tuple[bytes, bytes]]:
    records = []
    at = 0
    while at < len(body) and body[at]:
        space = body.find(b" ", at, at + 20)
        if space < 0 or not body[at:space].isdigit():
            raise TarError("invalid pax header")
        end = at + int(body[at:space])
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if end > len(body) or end <= space or body[end - 1 : end] != b"\n" or not equals or not key:
            raise TarError("invalid pax header")
        records.append((key, value))
        at = end
    return records


def _apply_pax(entry: Entry, pax: dict[bytes, bytes]) -> None:
    for key, value in pax.items():
        if key.startswith(b"SCHILY.xattr."):
            if entry.xattrs is None:
                entry.xattrs = {}
            entry.xattrs[key[13:]] = value
        # An empty value takes the record of an earlier header back.
        elif value and key in _PAX_FIELDS:
            attribute, parse = _PAX_FIELDS[key]
            setattr(entry, attribute, parse(value))
            if key == b"size":
                entry.stored = entry.size


def _pax_time(value: bytes) -> int:
    seconds, _, fraction = value.partition(b".")
    negative = seconds.startswith(b"-")
    if fraction and not fraction.isdigit():
        raise TarError("invalid time in an extended tar header")
    whole = _decimal(seconds.removeprefix(b"-") or b"0")
    nanoseconds = whole * 1_000_000_000 + int(fraction[:9].ljust(9, b"0") or b"0")
    return -nanoseconds if negative else nanoseconds


_PAX_FIELDS: dict[bytes, tuple[str, Callable[[bytes], bytes | int]]] = {
    b"path": ("name", bytes),
    b"linkpath": ("link", bytes),
    b"size": ("size", _decimal),
    b"uid": ("uid", _decimal),
    b"gid": ("gid", _decimal),
    b"mtime": ("mtime_ns", _pax_time),
    b"SCHILY.devmajor": ("device_major", _decimal),
    b"SCHILY.devminor": ("device_minor", _decimal),
}
