"""The files of one log: the one being written and those set aside, `.1` or `.1.gz` and so on.

The keeper moves them while they are read, so they are opened in one go and
known by their inode from then on.
"""

import gzip
import io
import os
import re
import shutil
import tempfile
from contextlib import suppress

# Between the keeper's two renames nothing stands still; three rotations while opening are no accident.
_ATTEMPTS = 10


class Part:
    """One file, open. Its size is what it had when opened."""

    __slots__ = ("compressed", "file", "inode", "size", "written_ns")

    def __init__(self, file: io.FileIO, compressed: bool) -> None:
        status = os.fstat(file.fileno())
        self.file = file
        self.compressed = compressed
        self.inode = status.st_ino
        self.size = status.st_size
        self.written_ns = status.st_mtime_ns

    def decompress(self, directory: str) -> None:
        """Goes on with the plain content, kept in an unnamed file. Blocks. Raises OSError or EOFError."""
        with (
            self.file as packed,
            gzip.GzipFile(fileobj=packed) as source,
            tempfile.TemporaryFile(dir=directory) as plain,
        ):
            shutil.copyfileobj(source, plain, 256 * 1024)
            plain.flush()
            self.size = plain.tell()
            self.file = io.FileIO(os.dup(plain.fileno()), "rb")
        self.compressed = False

    def close(self) -> None:
        self.file.close()


def open_parts(path: str) -> list[Part]:
    """Every file of a log, the newest first; none where nothing was written yet. Raises OSError."""
    for _ in range(_ATTEMPTS):
        parts = _open_all(path)
        # Same file in front after as before: then nothing was set aside in between.
        newest = parts[0].inode if parts else None
        if current_inode(path) in (newest, None):
            break
        close_all(parts)
    return parts


def close_all(parts: list[Part]) -> None:
    """Closes what `open_parts` gave."""
    for part in parts:
        part.close()


def current_inode(path: str) -> int | None:
    """Which file is being written now; None while there is none."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None


def _open_all(path: str) -> list[Part]:
    parts: list[Part] = []
    seen: set[int] = set()
    names = [path]
    for number in range(1, _highest_number(path) + 2):
        names += (f"{path}.{number}", f"{path}.{number}.gz")
    for name in names:
        # While one is being compressed both are there, and the plain one counts.
        if name.endswith(".gz") and os.path.exists(name.removesuffix(".gz")):
            continue
        with suppress(FileNotFoundError):
            part = Part(io.FileIO(name, "rb"), name.endswith(".gz"))
            if part.inode in seen:
                part.close()
                continue
            seen.add(part.inode)
            parts.append(part)
    return parts


def _highest_number(path: str) -> int:
    directory, name = os.path.split(path)
    numbered = re.compile(re.escape(name) + r"\.([0-9]+)(?:\.gz)?\Z")
    try:
        found = [int(match[1]) for entry in os.listdir(directory) if (match := numbered.match(entry))]
    except FileNotFoundError:
        return 0
    return max(found, default=0)
