"""File trees and archives for the tests of this directory."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lading.snapshots import OverlaySnapshots


def pull_from(data: bytes, size: int = 65536) -> Callable[[], bytes]:
    pieces: Iterator[bytes] = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda: next(pieces, b"")


def member(name: str, kind: bytes = tarfile.REGTYPE, **attributes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def packed(*members: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for each in members:
            info, data = each if isinstance(each, tuple) else (each, b"")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def add_layer(snapshots: OverlaySnapshots, data: bytes, parent: str | None = None) -> str:
    staged = snapshots.stage(pull_from(data))
    snapshots.inherit(staged, snapshots.directories(parent))
    return snapshots.commit(staged, f"sha256:{hashlib.sha256(data).hexdigest()}", parent, "")


Description = dict[str, tuple[object, ...]]


def described(root: str | Path) -> Description:
    """Everything that can be told of a tree: mode, owner, size or device, time, links, content."""
    found: Description = {}
    linked: dict[int, str] = {}
    for directory, directories, files in os.walk(root):
        directories.sort()
        for name in sorted(directories + files):
            path = os.path.join(directory, name)
            present = os.lstat(path)
            kind = stat.S_IFMT(present.st_mode)
            content: object = None
            if stat.S_ISREG(present.st_mode):
                content = Path(path).read_bytes()
            elif stat.S_ISLNK(present.st_mode):
                content = os.readlink(path)
            twin = linked.setdefault(present.st_ino, path) if not stat.S_ISDIR(present.st_mode) else path
            found[os.path.relpath(path, root)] = (
                kind,
                stat.S_IMODE(present.st_mode),
                present.st_uid,
                present.st_gid,
                present.st_rdev,
                present.st_mtime_ns,
                os.path.relpath(twin, root),
                {
                    key: os.getxattr(path, key, follow_symlinks=False)
                    for key in os.listxattr(path, follow_symlinks=False)
                },
                content,
            )
    return found
