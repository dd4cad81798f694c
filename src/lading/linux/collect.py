"""A file tree as a tar archive, while its owner may be changing it.

Directories are entered by descriptor and links are never followed, so what is
read lies in the tree whatever is moved about meanwhile. What has vanished
before its turn is left out; what shrinks is filled up with zeros, as its
header is out already.
"""

import errno
import os
import stat
from collections.abc import Callable

from lading.oci import tar, tar_writer

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO put in the place of a file must not hold us up.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 1 << 20
_XATTRS_KEPT = ("user.", "security.capability", "system.posix_acl_")
_LONGEST_NAME = 4096
_TYPES = {
    stat.S_IFREG: tar.REGULAR,
    stat.S_IFDIR: tar.DIRECTORY,
    stat.S_IFLNK: tar.SYMLINK,
    stat.S_IFCHR: tar.CHARACTER,
    stat.S_IFBLK: tar.BLOCK_DEVICE,
    stat.S_IFIFO: tar.FIFO,
}


class Collector:
    """One archive; `push` takes its bytes in pieces of about a megabyte. Sockets are left out.

    A subclass may take members for something else: see `entry`, `directory`, `node` and `put`.
    """

    def __init__(self, push: Callable[[bytes], None]) -> None:
        self._push = push
        self._held: list[bytes] = []
        self._size = 0
        self._links: dict[tuple[int, int], bytes] = {}

    def add(self, directory: int, name: bytes, shown: bytes) -> None:
        """What is called `name` in an open directory, with all below it, as `shown`. Raises OSError."""
        self._tree(directory, name, shown)

    def add_content(self, directory: int) -> None:
        """All that is in an open directory, under its own names. Raises OSError."""
        for name in _names(directory):
            self._tree(directory, name, name)

    def finish(self) -> None:
        """Writes the archive's end."""
        self.put(tar_writer.END)
        self._flush()

    def _tree(self, parent: int, name: bytes, shown: bytes) -> None:
        """Depth first, one descriptor open for each level, and no recursion to run out of."""
        opened = self.entry(parent, name, shown)
        if opened is None:
            return
        levels = [(opened, shown, iter(_names(opened)))]
        try:
            while levels:
                directory, above, names = levels[-1]
                child = next(names, None)
                if child is None:
                    os.close(directory)
                    levels.pop()
                    continue
                path = above + child if above.endswith(b"/") else b"%s/%s" % (above, child)
                if len(path) > _LONGEST_NAME:
                    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
                opened = self.entry(directory, child, path)
                if opened is not None:
                    levels.append((opened, path, iter(_names(opened))))
        finally:
            for directory, _, _ in levels:
                os.close(directory)

    def entry(self, parent: int, name: bytes, shown: bytes) -> int | None:
        """Writes one member; the descriptor of a directory, whose content is to follow."""
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            kind = stat.S_IFMT(found.st_mode)
            if kind == stat.S_IFDIR:
                return self.directory(parent, name, shown)
            if kind == stat.S_IFREG:
                self._file(parent, name, shown)
            elif kind != stat.S_IFSOCK:
                self.node(parent, name, shown, found)
        except OSError as error:
            # Gone, or become something else, since its directory was read.
            if error.errno not in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ESTALE):
                raise
        return None

    def directory(self, parent: int, name: bytes, shown: bytes) -> int:
        """Writes a directory's own member and opens it."""
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
        entry = _entry_of(os.fstat(descriptor), shown if shown.endswith(b"/") else shown + b"/")
        entry.xattrs = _xattrs(descriptor)
        self.put(tar_writer.header(entry))
        return descriptor

    def _file(self, parent: int, name: bytes, shown: bytes) -> None:
        descriptor = os.open(name, _FILE, dir_fd=parent)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return
            entry = _entry_of(found, shown)
            if found.st_nlink > 1 and self._linked(found, entry):
                return
            entry.size = found.st_size
            entry.xattrs = _xattrs(descriptor)
            self.put(tar_writer.header(entry))
            self._data(descriptor, found.st_size)
        finally:
            os.close(descriptor)

    def node(self, parent: int, name: bytes, shown: bytes, found: os.stat_result) -> None:
        """Writes what is neither a directory nor a regular file."""
        entry = _entry_of(found, shown)
        if found.st_nlink > 1 and self._linked(found, entry):
            return
        if entry.type == tar.SYMLINK:
            entry.link = os.readlink(name, dir_fd=parent)
        elif entry.type != tar.FIFO:
            entry.device_major, entry.device_minor = os.major(found.st_rdev), os.minor(found.st_rdev)
        self.put(tar_writer.header(entry))

    def _linked(self, found: os.stat_result, entry: tar.Entry) -> bool:
        """Writes a hard link where the same file came before."""
        first = self._links.setdefault((found.st_dev, found.st_ino), entry.name)
        if first == entry.name:
            return False
        entry.type, entry.link = tar.HARD_LINK, first
        self.put(tar_writer.header(entry))
        return True

    def _data(self, descriptor: int, size: int) -> None:
        left = size
        while left:
            piece = os.read(descriptor, min(left, _PIECE))
            if not piece:
                piece = bytes(min(left, _PIECE))
            left -= len(piece)
            self.put(piece)
        if size % tar.BLOCK:
            self.put(tar_writer.padding(size))

    def put(self, piece: bytes) -> None:
        """The next bytes of the archive."""
        self._held.append(piece)
        self._size += len(piece)
        if self._size >= _PIECE:
            self._flush()

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        self._push(held[0] if len(held) == 1 else b"".join(held))


def _names(directory: int) -> list[bytes]:
    return sorted(map(os.fsencode, os.listdir(directory)))


def _entry_of(found: os.stat_result, name: bytes) -> tar.Entry:
    return tar.Entry(
        name,
        _TYPES[stat.S_IFMT(found.st_mode)],
        stat.S_IMODE(found.st_mode),
        found.st_uid,
        found.st_gid,
        # Whole seconds, as docker gives them: a fraction would take another two blocks for each member.
        mtime_ns=int(found.st_mtime) * 1_000_000_000,
    )


def _xattrs(descriptor: int) -> dict[bytes, bytes] | None:
    found = {}
    try:
        for name in os.listxattr(descriptor):
            if name.startswith(_XATTRS_KEPT):
                found[os.fsencode(name)] = os.getxattr(descriptor, name)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENODATA, errno.ERANGE):
            raise
    return found or None
