"""Undoing the compression of a stream, told by its first bytes.

Formats: gzip (RFC 1952, any number of members one after another), zstd
(RFC 8878, frames likewise), xz, bzip2 and none.
"""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from lading.errors import InvalidParameter

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

gzip_library: Any = zlib
try:
    from isal import isal_zlib
except ImportError:  # not built for this processor
    pass
else:
    gzip_library = isal_zlib

MAGIC_LENGTH = 6
_GZIP_WRAPPER = 31
# One step never inflates to more than this, so a bomb cannot fill memory.
_STEP = 1 << 20
# `xz -9` asks for a quarter of it. A stream may ask for gigabytes, and several may come at once.
_XZ_MEMORY = 256 << 20

Pull = Callable[[], bytes]


class Compression(StrEnum):
    """How a stream is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"


_MAGIC = (
    (b"\x1f\x8b\x08", Compression.GZIP),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
    (b"\xfd7zXZ\x00", Compression.XZ),
    (b"BZh", Compression.BZIP2),
)


def detect(start: bytes) -> Compression:
    """The compression of a stream that begins with `start` (six bytes decide)."""
    for magic, compression in _MAGIC:
        if start.startswith(magic):
            return compression
    return Compression.NONE


_DAMAGE: tuple[type[Exception], ...] = (
    zlib.error,
    gzip_library.error,
    lzma.LZMAError,
    zstd.ZstdError,
    OSError,
    EOFError,
    ValueError,
)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def step(self, data: bytes) -> bytes: ...
    def pending(self) -> bool: ...


class _Gzip:
    """zlib's interface hands back what it did not take; the others keep it."""

    def __init__(self) -> None:
        self._inner = gzip_library.decompressobj(wbits=_GZIP_WRAPPER)
        self._full = False

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def step(self, data: bytes) -> bytes:
        plain: bytes = self._inner.decompress(self._inner.unconsumed_tail + data, _STEP)
        self._full = len(plain) == _STEP
        return plain

    def pending(self) -> bool:
        # A full step may have left output inside although all input was taken.
        return self._full or bool(self._inner.unconsumed_tail)


class _Buffered:
    """bz2, lzma and zstd share one interface."""

    def __init__(self, inner: "bz2.BZ2Decompressor | lzma.LZMADecompressor | zstd.ZstdDecompressor") -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def step(self, data: bytes) -> bytes:
        return self._inner.decompress(data, _STEP)

    def pending(self) -> bool:
        return not self._inner.needs_input


def _decompressor(compression: Compression) -> _Decompressor:
    if compression is Compression.GZIP:
        return _Gzip()
    if compression is Compression.ZSTD:
        return _Buffered(zstd.ZstdDecompressor())
    if compression is Compression.XZ:
        return _Buffered(lzma.LZMADecompressor(memlimit=_XZ_MEMORY))
    return _Buffered(bz2.BZ2Decompressor())


def inflate(pull: Pull, compression: Compression) -> Pull:
    """A source of plain pieces from a source of compressed ones; both end with an empty piece.

    The source returned raises InvalidParameter on damaged or truncated data.
    """
    if compression is Compression.NONE:
        return pull
    stream = _Stream(pull, compression)
    return stream.pull


class _Stream:
    def __init__(self, pull: Pull, compression: Compression) -> None:
        self._pull = pull
        self._compression = compression
        self._member: _Decompressor | None = _decompressor(compression)
        self._rest = b""

    def pull(self) -> bytes:
        while self._member is not None:
            member = self._member
            if member.eof:
                self._next_member(member.unused_data)
                continue
            piece, self._rest = self._rest, b""
            if not piece and not member.pending():
                piece = self._pull()
                if not piece:
                    raise InvalidParameter(f"invalid {self._compression} stream: unexpected EOF")
            try:
                plain = member.step(piece)
            except _DAMAGE as error:
                raise InvalidParameter(f"invalid {self._compression} stream: {error}") from None
            if plain:
                return plain
        return b""

    def _next_member(self, rest: bytes) -> None:
        # Members follow each other directly; zeros after the last one are padding.
        rest = rest.lstrip(b"\0") if self._compression is Compression.GZIP else rest
        while len(rest) < MAGIC_LENGTH and (piece := self._pull()):
            rest += piece
            if self._compression is Compression.GZIP:
                rest = rest.lstrip(b"\0")
        if detect(rest) is self._compression or _is_skippable_frame(rest, self._compression):
            self._member, self._rest = _decompressor(self._compression), rest
            return
        # Tools ignore what follows the last member; it is read so that its digest is known.
        self._member = None
        while self._pull():
            pass


def _is_skippable_frame(start: bytes, compression: Compression) -> bool:
    return (
        compression is Compression.ZSTD
        and start[1:4] == b"\x2a\x4d\x18"
        and 0x50 <= (start or b"\0")[0] <= 0x5F
    )
