"""What a writable layer changes of the layers below, read from what overlay keeps of it.

Only the upper directory is walked, never the whole tree. Source: the kernel's
overlayfs.rst, "whiteouts and opaque directories"; which differences count is docker's.
"""

import os
import stat
from collections.abc import Collection, Iterator
from enum import IntEnum
from typing import NamedTuple

from lading.snapshots.unpack import OPAQUE_XATTR, is_whiteout

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CAPABILITY = "security.capability"


class Kind(IntEnum):
    """What happened to a path (Engine API 1.51, ChangeType)."""

    MODIFIED = 0
    ADDED = 1
    DELETED = 2


class Change(NamedTuple):
    """One path, absolute, and what happened to it."""

    path: str
    kind: Kind


class _Level(NamedTuple):
    path: str
    upper: int
    lower: int | None
    names: Iterator[str]


def compare(upper: int, lower: int | None, taken_for_granted: Collection[str] = ()) -> list[Change]:
    """The changes in the open directory `upper`, over the tree of all layers below.

    A directory with changes inside counts as modified. What is
    `taken_for_granted` does not count as added. Raises OSError.
    """
    found: list[tuple[str, Kind | None]] = []
    levels = [_Level("", os.dup(upper), None if lower is None else os.dup(lower), _names(upper, lower))]
    try:
        while levels:
            level = levels[-1]
            name = next(level.names, None)
            if name is None:
                _close(levels.pop())
                continue
            path = f"{level.path}/{name}"
            kind, inside = _entry(level, name, path)
            if kind is Kind.ADDED and path in taken_for_granted:
                kind = None
            found.append((path, kind))
            if inside is not None:
                levels.append(inside)
    finally:
        for level in levels:
            _close(level)
    return _with_parents(found)


def _entry(level: _Level, name: str, path: str) -> tuple[Kind | None, _Level | None]:
    above = _stat(level.upper, name)
    below = _stat(level.lower, name) if level.lower is not None else None
    if above is None or is_whiteout(above):
        return (Kind.DELETED if below is not None else None), None
    kind: Kind | None = Kind.ADDED
    if below is not None:
        kind = Kind.MODIFIED if _differ(level, name, above, below) else None
    if not stat.S_ISDIR(above.st_mode):
        return kind, None
    try:
        upper = os.open(name, _DIRECTORY, dir_fd=level.upper)
    except OSError:
        # Gone meanwhile, or replaced.
        return kind, None
    lower = None
    if below is not None and stat.S_ISDIR(below.st_mode):
        lower = os.open(name, _DIRECTORY, dir_fd=level.lower)
    return kind, _Level(path, upper, lower, _names(upper, lower))


def _names(upper: int, lower: int | None) -> Iterator[str]:
    names = set(os.listdir(upper))
    if lower is not None and _opaque(upper):
        names.update(os.listdir(lower))
    return iter(sorted(names))


def _opaque(directory: int) -> bool:
    try:
        return os.getxattr(directory, OPAQUE_XATTR) == b"y"
    except OSError:
        return False


def _stat(directory: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _differ(level: _Level, name: str, above: os.stat_result, below: os.stat_result) -> bool:
    """Whether what overlay copied up was changed too."""
    plain = ("st_mode", "st_uid", "st_gid", "st_rdev")
    if any(getattr(above, field) != getattr(below, field) for field in plain):
        return True
    if stat.S_ISDIR(above.st_mode):
        # Neither its size nor its time says anything of its own.
        return False
    if above.st_size != below.st_size or above.st_mtime_ns != below.st_mtime_ns:
        return True
    return stat.S_ISREG(above.st_mode) and _capability(level.upper, name) != _capability(level.lower, name)


def _capability(directory: int | None, name: str) -> bytes:
    try:
        return os.getxattr(f"/proc/self/fd/{directory}/{name}", _CAPABILITY, follow_symlinks=False)
    except OSError:
        return b""


def _with_parents(found: list[tuple[str, Kind | None]]) -> list[Change]:
    """Without what did not change, but for the directories around changes. Parents come first."""
    around: set[str] = set()
    kept: list[Change] = []
    for path, kind in reversed(found):
        if kind is None and path in around:
            kind = Kind.MODIFIED
        if kind is not None:
            around.add(path.rpartition("/")[0])
            kept.append(Change(path, kind))
    return kept[::-1]


def _close(level: _Level) -> None:
    os.close(level.upper)
    if level.lower is not None:
        os.close(level.lower)
