"""Filling a fresh volume with what the image has at its place.

The source is a stranger's file system: its root is resolved as `/`, and below
it no symbolic link is ever followed.
"""

import errno
import os
import shutil
import stat

from lading.errors import InvalidParameter
from lading.linux.confined import open_in_root

_XATTRS_KEPT = ("user.", "security.capability", "system.posix_acl_")
_CHUNK = 1 << 30


def copy_up(root: str, destination: str, target: str) -> bool:
    """Copies the directory `destination` of the file system at `root` into the empty directory `target`.

    Keeps owners, modes, times, extended attributes and hard links. False where
    the image has nothing there. Blocks. Raises InvalidParameter where it has a
    file there, OSError.
    """
    root_descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        source = open_in_root(root_descriptor, os.fsencode(destination), os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError) as error:
        if error.errno == errno.ENOENT:
            return False
        raise InvalidParameter(f"cannot mount volume over existing file, file exists {destination}") from None
    finally:
        os.close(root_descriptor)
    try:
        into = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _Copier(into).tree(source, into)
        finally:
            os.close(into)
    finally:
        os.close(source)
    return True


class _Copier:
    def __init__(self, target: int) -> None:
        self._target = target
        self._links: dict[tuple[int, int], str] = {}

    def tree(self, source: int, target: int, path: str = "") -> None:
        """Everything in the open directory `source`, then the directory's own properties."""
        with os.scandir(source) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            self._entry(source, target, name, f"{path}{name}")
        _dress(source, target)

    def _entry(self, source: int, target: int, name: str, path: str) -> None:
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            self._directory(source, target, name, path)
            return
        if stat.S_ISSOCK(status.st_mode):
            return
        identity = (status.st_dev, status.st_ino)
        if identity in self._links:
            os.link(self._links[identity], name, src_dir_fd=self._target, dst_dir_fd=target)
            return
        if status.st_nlink > 1:
            self._links[identity] = path
        if stat.S_ISREG(status.st_mode):
            _file(source, target, name)
            return
        if stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        else:
            os.mknod(name, status.st_mode, status.st_rdev, dir_fd=target)
        os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=target)
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)

    def _directory(self, source: int, target: int, name: str, path: str) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        inner = os.open(name, flags, dir_fd=source)
        try:
            copy = os.open(name, flags, dir_fd=target)
            try:
                self.tree(inner, copy, f"{path}/")
            finally:
                os.close(copy)
        finally:
            os.close(inner)


def _file(source: int, target: int, name: str) -> None:
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        writing = os.open(name, flags, 0o600, dir_fd=target)
        try:
            _content(reading, writing)
            _dress(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _content(reading: int, writing: int) -> None:
    try:
        while os.copy_file_range(reading, writing, _CHUNK):
            pass
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        with open(reading, "rb", closefd=False) as old, open(writing, "wb", closefd=False) as new:
            shutil.copyfileobj(old, new, 1 << 20)


def _dress(source: int, target: int) -> None:
    """Owner, then what a change of owner would clear, then times."""
    status = os.fstat(source)
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    for key in os.listxattr(source):
        if key.startswith(_XATTRS_KEPT):
            try:
                os.setxattr(target, key, os.getxattr(source, key))
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
