"""Putting an archive's members into a directory, confined to a root and fast.

The archive comes from a stranger, and so may what is in the directory already,
which its owner may change at the same time. Names are resolved as if the root
were `/` (see `linux.confined`), the last part of a name is never followed, and
no attribute that overlay itself gives meaning to is taken from an archive.
"""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field

from lading.errors import InternalError, InvalidParameter, LadingError
from lading.linux import confined
from lading.linux.described import Descriptions, moment
from lading.linux.tally import Limits, Tally
from lading.oci import tar

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_DIRECTORIES = 128
_SYMLINKS_IN_A_ROW = 40
# What may follow the end of an archive; tar pads with kilobytes.
_MAX_TRAILER = 1 << 28
# What the client asked for cannot be; anything else failed here.
_BLAMED = (
    *(errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
    *(errno.EINVAL, errno.EPERM, errno.EBUSY, errno.EROFS, errno.ENOENT, errno.EEXIST, errno.EXDEV),
)
# Ignored where the file system or the user namespace does not have them, as elsewhere.
_XATTR_OPTIONAL = (errno.ENOTSUP, errno.EPERM)


@dataclass(slots=True)
class Unpacked:
    """Bytes of the files, directories the archive used without describing them, and those with whiteouts."""

    size: int = 0
    implied: list[bytes] = field(default_factory=list)
    hiding: list[bytes] = field(default_factory=list)


def no_displacing(directory: int, name: bytes) -> None:
    """Refuses to take a directory away for something else."""
    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _failure(error: Exception) -> type[LadingError]:
    return InvalidParameter if not isinstance(error, OSError) or error.errno in _BLAMED else InternalError


class Extraction:
    """One archive on its way into the directory `base` of the root `root` (a descriptor).

    `displace(directory, name)` takes away a directory that a later entry
    replaces. `describe` may change what an entry says of its file.
    """

    def __init__(
        self,
        root: int,
        displace: Callable[[int, bytes], None] = no_displacing,
        limits: Limits | None = None,
        base: bytes = b"",
    ) -> None:
        self._tally = Tally(limits or Limits())
        self.result = Unpacked()
        self._root = root
        self._base = base.strip(b"/")
        self._displace = displace
        self._open: dict[bytes, int] = {}
        self._directories = Descriptions()
        self._umask = _umask()
        self._makers: dict[bytes, Callable[[tar.Entry, int, bytes, tar.Reader], None]] = {
            tar.REGULAR: self._file,
            tar.HARD_LINK: self._hard_link,
            tar.SYMLINK: self._symlink,
            tar.CHARACTER: self._node,
            tar.BLOCK_DEVICE: self._node,
            tar.FIFO: self._node,
        }

    def run(self, pull: Callable[[], bytes]) -> Unpacked:
        """Takes a plain tar stream to its end.

        Raises InvalidParameter for a bad archive, TooLarge, and InternalError
        where the file system fails.
        """
        entry = None
        reader = tar.Reader(pull)
        try:
            while (entry := reader.next()) is not None:
                self.take(entry, reader)
            reader.drain(_MAX_TRAILER)
            self.finish()
        except tar.TarError as error:
            raise InvalidParameter(f"archive/tar: {error}") from None
        except (OSError, OverflowError, ValueError) as error:
            name = os.fsdecode(entry.name) if entry else ""
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise _failure(error)(f"cannot unpack {name!r}: {reason}") from None
        finally:
            self.close()
        return self.result

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def take(self, entry: tar.Entry, reader: tar.Reader) -> None:
        """Makes one member."""
        self._tally.entry(entry.size, entry.stored)
        parent, name = split(entry.name)
        self.put(entry, parent, name, reader)

    def put(self, entry: tar.Entry, parent: bytes, name: bytes, reader: tar.Reader) -> None:
        """Makes one member; its directory and last part are known to be inside."""
        if entry.type == tar.DIRECTORY:
            path = b"%s/%s" % (parent, name) if parent else name
            if name:
                self._directory(self.parent(parent), name, path)
            if self._directories.add(path, entry):
                self._tally.directory()
            return
        maker = self._makers.get(entry.type)
        if maker is None or not name:
            raise InvalidParameter(f"unhandled tar header type {entry.type!r} of {os.fsdecode(entry.name)!r}")
        directory = self.parent(parent)
        try:
            maker(entry, directory, name, reader)
        except FileExistsError:
            self._make_room(directory, name, parent)
            maker(entry, self.parent(parent), name, reader)

    def parent(self, path: bytes, depth: int = 0) -> int:
        """An open descriptor of a directory, which is made where it is missing."""
        known = self._open.get(path)
        if known is not None:
            return known
        try:
            descriptor = self._reached(path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR) or depth > _SYMLINKS_IN_A_ROW or not path:
                raise
            self._imply(path, depth)
            descriptor = self._reached(path)
        if len(self._open) >= _OPEN_DIRECTORIES:
            os.close(self._open.pop(next(iter(self._open))))
        self._open[path] = descriptor
        return descriptor

    def _reached(self, path: bytes) -> int:
        """One step from the directory above, where that is open: paths may be thousands of steps long."""
        above, _, name = path.rpartition(b"/")
        known = self._open.get(above) if name else None
        if known is not None:
            try:
                return os.open(name, _OPEN_DIRECTORY, dir_fd=known)
            except OSError:
                # A symbolic link perhaps; or it is really not there.
                pass
        return self._directory_at(path)

    def _full(self, path: bytes) -> bytes:
        return b"%s/%s" % (self._base, path) if self._base else path

    def _directory_at(self, path: bytes) -> int:
        return confined.directory_in_root(self._root, self._full(path))

    def _imply(self, path: bytes, depth: int) -> None:
        """Makes the directories of a path that are missing."""
        missing = [path]
        while (above := missing[-1].rpartition(b"/")[0]) and not self._exists(above):
            missing.append(above)
        for directory in reversed(missing):
            self._imply_one(directory, depth)

    def _exists(self, path: bytes) -> bool:
        try:
            os.close(self._directory_at(path))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
            return False
        return True

    def _imply_one(self, path: bytes, depth: int) -> None:
        above, _, name = path.rpartition(b"/")
        directory = self.parent(above, depth)
        try:
            present = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            present = None
        if present is not None and stat.S_ISLNK(present.st_mode):
            self.dangling(directory, name, above, depth)
            return
        if present is not None and not self.hides(present):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        self._tally.directory(implied=True)
        self._directory(directory, name, path)
        if self._umask & 0o755:
            _change_mode(directory, name, 0o755)
        self.result.implied.append(path)

    def dangling(self, directory: int, name: bytes, above: bytes, depth: int) -> None:
        """A symbolic link to nowhere stands where a directory is needed."""
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def hides(self, present: os.stat_result) -> bool:
        """Whether what is there only hides something, and may give way to a directory."""
        return False

    def clash(self, present: os.stat_result, path: bytes, *, directory: bool) -> None:
        """Something of the other kind is in the way of a directory, or a directory in the way.

        May refuse by raising.
        """

    def replaced(self, parent: int, name: bytes) -> None:
        """A directory has come in the place of something else."""

    def _directory(self, parent: int, name: bytes, path: bytes) -> None:
        # Not its final mode yet: a setgid directory would hand its group to its children.
        try:
            os.mkdir(name, 0o755, dir_fd=parent)
            return
        except FileExistsError:
            present = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISDIR(present.st_mode):
            return
        self.clash(present, path, directory=True)
        self._make_room(parent, name, path)
        os.mkdir(name, 0o755, dir_fd=parent)
        self.replaced(parent, name)

    def _make_room(self, parent: int, name: bytes, path: bytes) -> None:
        present = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISDIR(present.st_mode):
            os.unlink(name, dir_fd=parent)
            return
        self.clash(present, b"%s/%s" % (path, name) if path else name, directory=False)
        self._displace(parent, name)
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()
        # Directories below are gone; should one come back, it is not the one described before.
        self._directories.displace(b"%s/%s" % (path, name) if path else name)

    def _file(self, entry: tar.Entry, directory: int, name: bytes, reader: tar.Reader) -> None:
        mode = entry.mode
        descriptor = os.open(name, _CREATE, mode & 0o777, dir_fd=directory)
        try:
            try:
                _write(descriptor, entry, reader)
            except BaseException:
                # Half a file is worse than none.
                os.unlink(name, dir_fd=directory)
                raise
            owner = self.owner(entry)
            if owner is not None:
                os.chown(descriptor, *owner)
            if mode & (self._umask | 0o7000):
                os.chmod(descriptor, mode)
            if entry.xattrs:
                _set_xattrs(descriptor, entry.xattrs)
            time = moment(entry)
            os.utime(descriptor, ns=(time, time))
        finally:
            os.close(descriptor)

    def owner(self, entry: tar.Entry) -> tuple[int, int] | None:
        """To whom a new file is given; None leaves it to whom it belongs."""
        return (entry.uid, entry.gid) if entry.uid or entry.gid else None

    def _hard_link(self, entry: tar.Entry, directory: int, new: bytes, _: tar.Reader) -> None:
        parent, target = split(entry.link)
        try:
            source = self._directory_at(parent)
            try:
                if _same(source, target, directory, new):
                    return
                os.link(target, new, src_dir_fd=source, dst_dir_fd=directory, follow_symlinks=False)
            finally:
                os.close(source)
        except FileNotFoundError:
            name, link = os.fsdecode(entry.name), os.fsdecode(entry.link)
            raise InvalidParameter(f"hard link {name!r} to {link!r}: no such file in this archive") from None

    def _symlink(self, entry: tar.Entry, directory: int, name: bytes, _: tar.Reader) -> None:
        os.symlink(entry.link, name, dir_fd=directory)
        self._dress(entry, directory, name)

    def _node(self, entry: tar.Entry, directory: int, name: bytes, _: tar.Reader) -> None:
        kind = {tar.CHARACTER: stat.S_IFCHR, tar.BLOCK_DEVICE: stat.S_IFBLK, tar.FIFO: stat.S_IFIFO}[
            entry.type
        ]
        device = 0 if entry.type == tar.FIFO else os.makedev(entry.device_major, entry.device_minor)
        os.mknod(name, kind | (entry.mode & 0o777), device, dir_fd=directory)
        self._dress(entry, directory, name)

    def _dress(self, entry: tar.Entry, directory: int, name: bytes) -> None:
        """Owner, mode and times of what cannot be opened."""
        owner = self.owner(entry)
        if owner is not None:
            os.chown(name, *owner, dir_fd=directory, follow_symlinks=False)
        if entry.type != tar.SYMLINK:
            _change_mode(directory, name, entry.mode)
        if entry.xattrs:
            _set_xattrs(b"/proc/self/fd/%d/%s" % (directory, name), entry.xattrs)
        time = moment(entry)
        os.utime(name, ns=(time, time), dir_fd=directory, follow_symlinks=False)

    def finish(self) -> None:
        """Describes the directories, now that nothing is put into them any more."""
        if b"" not in self._directories:
            self.result.implied.append(b"")
        for path, entry in self._directories.entries():
            try:
                directory = confined.open_in_root(
                    self._root, self._full(path), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                )
            except OSError as error:
                # A later entry put something else there.
                if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    continue
                raise
            try:
                owner = self.owner(entry)
                if owner is not None:
                    os.chown(directory, *owner)
                os.chmod(directory, entry.mode)
                if entry.xattrs:
                    _set_xattrs(directory, entry.xattrs)
                time = moment(entry)
                os.utime(directory, ns=(time, time))
            finally:
                os.close(directory)
        described = self._directories
        self.result.implied = [path for path in self.result.implied if path not in described]
        self.result.size = self._tally.size


def split(name: bytes) -> tuple[bytes, bytes]:
    """Directory and last part of a member's name, both inside the root; both empty for the root.

    Raises InvalidParameter for a name that leads out.
    """
    parts = parts_inside(b"", name)
    if not parts:
        return b"", b""
    last = parts.pop()
    return b"/".join(parts), last


def parts_inside(base: bytes, name: bytes, clamp: bool = False) -> list[bytes]:
    """The parts of `name` seen from `base`; above the root is an error, or with `clamp` the root."""
    parts: list[bytes] = base.split(b"/") if base else []
    for part in name.split(b"/"):
        if not part or part == b".":
            continue
        if part != b"..":
            parts.append(part)
        elif parts:
            parts.pop()
        elif not clamp:
            raise InvalidParameter(f"{os.fsdecode(name)!r} leads out of the archive's root")
    return parts


def _same(source: int, target: bytes, directory: int, name: bytes) -> bool:
    return target == name and os.path.sameopenfile(source, directory)


def _write(descriptor: int, entry: tar.Entry, reader: tar.Reader) -> None:
    if entry.segments is not None:
        _write_sparse(descriptor, entry, reader)
        return
    for view in reader.data():
        written = os.write(descriptor, view)
        while written < len(view):
            written += os.write(descriptor, view[written:])


def _change_mode(directory: int, name: bytes, mode: int) -> None:
    """chmod(2) of what is there now, and never of what a link there leads to."""
    found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        if not stat.S_ISLNK(os.fstat(found).st_mode):
            os.chmod(f"/proc/self/fd/{found}", mode)
    finally:
        os.close(found)


def _write_sparse(descriptor: int, entry: tar.Entry, reader: tar.Reader) -> None:
    os.ftruncate(descriptor, entry.size)
    data = reader.data()
    view = memoryview(b"")
    for offset, length in entry.segments or ():
        while length:
            if not view:
                view = next(data)
            written = os.pwrite(descriptor, view[:length], offset)
            view = view[written:]
            offset += written
            length -= written


def _set_xattrs(file: int | bytes, xattrs: dict[bytes, bytes]) -> None:
    for name, value in xattrs.items():
        # These steer overlay: a layer could make files of other layers show up as its own.
        if name.startswith((b"trusted.overlay.", b"user.overlay.")):
            continue
        try:
            if isinstance(file, int):
                os.setxattr(file, name, value)
            else:
                os.setxattr(file, name, value, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _XATTR_OPTIONAL:
                raise


def _umask() -> int:
    # Read, not set and set back: other threads make files too.
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    return 0o777
