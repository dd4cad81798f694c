"""What distinguishes a layer's directory from the same layer unpacked anew."""

import os
import stat
from collections.abc import Iterator

from lading.snapshots.unpack import is_whiteout

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 20


def difference(kept: str, fresh: str) -> str:
    """The first thing that is not in the directory `kept` as it is in `fresh`, or nothing.

    Names, kinds, modes, owners, sizes, times, links, attributes and content
    count. Blocks, for as long as it takes to read both. Raises OSError.
    """
    pending = [(os.open(kept, _DIRECTORY), os.open(fresh, _DIRECTORY), "")]
    try:
        while pending:
            ours, theirs, path = pending.pop()
            try:
                found = _attributes(ours, theirs, path or "/") or _compare(ours, theirs, path, pending)
            finally:
                os.close(ours)
                os.close(theirs)
            if found:
                return found
    finally:
        for ours, theirs, _ in pending:
            os.close(ours)
            os.close(theirs)
    return ""


def _compare(ours: int, theirs: int, path: str, pending: list[tuple[int, int, str]]) -> str:
    here, there = set(os.listdir(ours)), set(os.listdir(theirs))
    for name in sorted(here ^ there):
        return f"{path}/{name} {'is missing' if name in there else 'should not be there'}"
    for name in sorted(here):
        shown = f"{path}/{name}"
        one = os.stat(name, dir_fd=ours, follow_symlinks=False)
        other = os.stat(name, dir_fd=theirs, follow_symlinks=False)
        for said in _unlike(one, other):
            return f"{shown} {said}"
        if stat.S_ISDIR(one.st_mode):
            pending.append(
                (os.open(name, _DIRECTORY, dir_fd=ours), os.open(name, _DIRECTORY, dir_fd=theirs), shown)
            )
        elif stat.S_ISLNK(one.st_mode):
            if os.readlink(name, dir_fd=ours) != os.readlink(name, dir_fd=theirs):
                return f"{shown} leads elsewhere"
        elif stat.S_ISREG(one.st_mode) and (said := _content(ours, theirs, name, shown)):
            return said
    return ""


def _unlike(one: os.stat_result, other: os.stat_result) -> Iterator[str]:
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(other.st_mode):
        yield "is of another kind"
        return
    if is_whiteout(one) and is_whiteout(other):
        # It says that something is gone, and nothing of its own.
        return
    if one.st_mode != other.st_mode:
        yield f"has the mode {stat.S_IMODE(one.st_mode):o} instead of {stat.S_IMODE(other.st_mode):o}"
    if (one.st_uid, one.st_gid) != (other.st_uid, other.st_gid):
        yield f"belongs to {one.st_uid}:{one.st_gid} instead of {other.st_uid}:{other.st_gid}"
    if one.st_rdev != other.st_rdev:
        yield "is another device"
    if stat.S_ISDIR(one.st_mode):
        # Its time may be that of the unpacking, where the archive does not describe it.
        return
    if one.st_size != other.st_size:
        yield f"has {one.st_size} bytes instead of {other.st_size}"
    if one.st_nlink != other.st_nlink:
        yield f"has {one.st_nlink} names instead of {other.st_nlink}"
    if one.st_mtime_ns != other.st_mtime_ns:
        yield "was changed at another time"


def _content(ours: int, theirs: int, name: str, shown: str) -> str:
    one, other = os.open(name, _FILE, dir_fd=ours), os.open(name, _FILE, dir_fd=theirs)
    try:
        while True:
            piece = os.read(one, _PIECE)
            if piece != os.read(other, _PIECE):
                return f"{shown} has other content"
            if not piece:
                return _attributes(one, other, shown)
    finally:
        os.close(one)
        os.close(other)


def _attributes(one: int, other: int, shown: str) -> str:
    here, there = ({name: os.getxattr(file, name) for name in os.listxattr(file)} for file in (one, other))
    return "" if here == there else f"{shown} has other extended attributes"
