"""What a path in a container leads to, in the words of the Engine API."""

import errno
import os
import stat
from typing import Any

from msgspec import Struct

from lading.linux import confined
from lading.schema import archive
from lading.units import rfc3339

_LINKS_IN_A_ROW = 255


class PathStat(Struct, frozen=True):
    """The content of X-Docker-Container-Path-Stat (Engine API 1.51, ContainerArchiveInfo)."""

    name: str
    size: int
    mode: int
    mtime: str
    link_target: str = ""

    @property
    def is_directory(self) -> bool:
        return bool(self.mode & archive.MODE_DIRECTORY)

    def view(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "size": self.size,
            "mode": self.mode,
            "mtime": self.mtime,
            "linkTarget": self.link_target,
        }


def stat_path(root: int, path: str) -> PathStat:
    """The file itself, not what a link leads to. Raises OSError."""
    found = _lstat(root, os.fsencode(path))
    link = stat.S_ISLNK(found.st_mode)
    return PathStat(
        name=archive.base(path),
        size=found.st_size,
        mode=archive.file_mode(found.st_mode),
        mtime=rfc3339(found.st_mtime_ns),
        # It may be no Unicode, which JSON cannot say.
        link_target=resolve(root, path).encode(errors="replace").decode() if link else "",
    )


def _lstat(root: int, path: bytes) -> os.stat_result:
    descriptor = confined.open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def resolve(root: int, path: str) -> str:
    """The path without links, from the container's root; its end may be missing. Raises OSError."""
    left = [part for part in path.split("/") if part and part != "."][::-1]
    done: list[str] = []
    links = 0
    while left:
        part = left.pop()
        if part == "..":
            done = done[:-1]
            continue
        target = _link_target(root, "/".join([*done, part]))
        if target is None:
            done.append(part)
            continue
        links += 1
        if links > _LINKS_IN_A_ROW:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if target.startswith("/"):
            done = []
        left.extend(part for part in reversed(target.split("/")) if part and part != ".")
    return "/" + "/".join(done)


def _link_target(root: int, path: str) -> str | None:
    try:
        descriptor = confined.open_in_root(root, os.fsencode(path), os.O_PATH | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISLNK(os.fstat(descriptor).st_mode):
            return None
        return os.readlink("", dir_fd=descriptor)
    finally:
        os.close(descriptor)
