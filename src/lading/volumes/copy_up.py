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
from lading.linux.trees import Descent

_XATTRS_KEPT = ("user.", "security.capability", "system.posix_acl_")
_CHUNK = 1 << 30
# PATH_MAX of the kernel, the final zero included.
_LONGEST_PATH = 4096


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
            with Descent(os.dup(source)) as old, Descent(os.dup(into)) as new:
                _Copier(into, old, new).run()
        finally:
            os.close(into)
    finally:
        os.close(source)
    return True


class _Copier:
    """Copies depth first, with one descriptor in each of the two trees however deep they are."""

    def __init__(self, root: int, source: Descent, target: Descent) -> None:
        self._root = root
        self._source = source
        self._target = target
        self._inside: list[str] = []
        self._links: dict[tuple[int, int], str] = {}

    def run(self) -> None:
        """Everything below, then the directory's own properties."""
        pending = [self._content()]
        while True:
            if pending[-1]:
                self._inside.append(pending[-1].pop())
                self._source.down(self._inside[-1])
                self._target.down(self._inside[-1])
                pending.append(self._content())
                continue
            _dress(self._source.descriptor, self._target.descriptor)
            pending.pop()
            if not pending:
                return
            self._inside.pop()
            self._source.up()
            self._target.up()

    def _content(self) -> list[str]:
        """Copies what is in the present directory; the names of the directories, made but empty."""
        return [name for name in os.listdir(self._source.descriptor) if self._is_directory(name)]

    def _is_directory(self, name: str) -> bool:
        source, target = self._source.descriptor, self._target.descriptor
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            return True
        if not stat.S_ISSOCK(status.st_mode) and not self._linked(status, target, name):
            self._node(status, source, target, name)
        return False

    def _linked(self, status: os.stat_result, target: int, name: str) -> bool:
        """Whether it could be made as another name of what was copied before."""
        if status.st_nlink == 1:
            return False
        identity = (status.st_dev, status.st_ino)
        if identity in self._links:
            os.link(self._links[identity], name, src_dir_fd=self._root, dst_dir_fd=target)
            return True
        path = "/".join((*self._inside, name))
        # One too deep to be named from the top gets a copy for each of its names.
        if len(os.fsencode(path)) < _LONGEST_PATH:
            self._links[identity] = path
        return False

    def _node(self, status: os.stat_result, source: int, target: int, name: str) -> None:
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
