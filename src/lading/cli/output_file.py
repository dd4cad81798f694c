"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def write_file(path: str, pieces: Iterable[bytes]) -> None:
    """Writes beside the file and then takes its place. Raises OSError, and what `pieces` raises."""
    descriptor, unfinished = tempfile.mkstemp(prefix=".lading_temp_", dir=os.path.dirname(path) or ".")
    try:
        with open(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
        os.rename(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def unfit(path: str) -> str:
    """Why no file could be put at `path`, in docker's words, or ""."""
    directory = os.path.dirname(path)
    try:
        if directory:
            os.stat(f"{directory}/")
    except OSError as error:
        return f"invalid output path: stat {directory}: {(error.strerror or '').lower()}"
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return ""
    return next((f"cannot write to {name}" for check, name in _KINDS if check(mode)), "")


_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISCHR, "a character device file"),
    (stat.S_ISBLK, "a block device file"),
    (stat.S_ISFIFO, "a named pipe file"),
    (stat.S_ISSOCK, "a socket file"),
)
