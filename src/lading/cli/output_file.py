"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile

from lading.cli.errors import CommandFailed
from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lading.client import Streaming


def check_output(path: str, failed: str) -> None:
    """Raises CommandFailed, beginning with what `failed`, where an archive cannot go there; "" is stdout."""
    if not path and os.isatty(1):
        raise CommandFailed("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if path and (problem := unfit(path)):
        raise CommandFailed(f"{failed}: {problem}")


def deliver(answer: Streaming, path: str) -> None:
    """Writes what the engine answers into a file, or to stdout where `path` is "". Raises OSError."""
    try:
        if path:
            write_file(path, answer.pieces())
            return
        for piece in answer.pieces():
            write(1, piece)
    finally:
        answer.close()


def write_file(path: str, pieces: Iterable[bytes]) -> None:
    """Writes a file without a name, which then takes its place. Raises OSError, and what `pieces` raises.

    Only the owner may read it. Whoever kills us finds nothing half written.
    """
    directory = os.path.dirname(path) or "."
    try:
        descriptor = os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError:
        # Not every file system can do that (open(2), O_TMPFILE).
        _write_beside(directory, path, pieces)
        return
    with open(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        name = f"{directory}/.lading_temp_{os.getpid()}"
        # A descriptor of a directory has Python call linkat(2), which alone follows the link.
        os.link(f"/proc/self/fd/{descriptor}", name, src_dir_fd=descriptor)
    os.rename(name, path)


def _write_beside(directory: str, path: str, pieces: Iterable[bytes]) -> None:
    descriptor, unfinished = tempfile.mkstemp(prefix=".lading_temp_", dir=directory)
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
