"""A root file system in memory for a virtual machine, as a cpio archive.

Source: kernel documentation, driver-api/early-userspace/buffer-format ("newc").
"""

import re
import stat
import subprocess
from pathlib import Path


class Initramfs:
    """Files to be, by their path without the leading slash."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, bytes]] = {}

    def directory(self, path: str) -> None:
        """With all that lead to it."""
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            self._entries.setdefault("/".join(parts[:depth]), (stat.S_IFDIR | 0o755, b""))

    def file(self, path: str, content: bytes | str, mode: int = 0o644) -> None:
        name = path.strip("/")
        if "/" in name:
            self.directory(name.rpartition("/")[0])
        data = content.encode() if isinstance(content, str) else content
        self._entries[name] = (stat.S_IFREG | mode, data)

    def link(self, path: str, target: str) -> None:
        self._entries[path.strip("/")] = (stat.S_IFLNK | 0o777, target.encode())

    def program(self, path: str) -> None:
        """A program of this machine's, with the libraries it is linked to."""
        self.file(path, Path(path).read_bytes(), 0o755)
        linked = subprocess.run(["ldd", path], capture_output=True, text=True)
        for library in re.findall(r"(/\S+) \(0x", linked.stdout):
            self.file(library, Path(library).read_bytes(), 0o755)

    def archive(self) -> bytes:
        entries = [*self._entries.items(), ("TRAILER!!!", (0, b""))]
        return b"".join(
            _entry(number, path, mode, content) for number, (path, (mode, content)) in enumerate(entries, 1)
        )


def _entry(number: int, path: str, mode: int, content: bytes) -> bytes:
    name = path.encode() + b"\0"
    # Inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum.
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
