"""The directories of volumes: `<root>/<name>/_data`.

A directory whose volume is not in the database is garbage. What is being made
or thrown away has a name that begins with a dot, which no volume's does.
"""

import logging
import os
import secrets
import stat
from collections.abc import Callable, Collection

from lading.linux import trees

_log = logging.getLogger(__name__)

_DATA = "_data"
_MODE, _DATA_MODE = 0o701, 0o755
_SPARES = 8


class Directories:
    """Where the local driver keeps what is in its volumes."""

    def __init__(self, root: str, delete: Callable[[Collection[str]], None]) -> None:
        """`delete` removes whole trees, later."""
        self._root = root
        self._delete = delete
        mask = os.umask(0o077)
        os.umask(mask)
        self._spares: list[str] = []
        self._run = secrets.token_hex(4)
        self._masked = bool(mask & (_MODE | _DATA_MODE))

    def directory(self, name: str) -> str:
        """All of a volume."""
        return f"{self._root}/{name}"

    def data(self, name: str) -> str:
        """What gets mounted."""
        return f"{self._root}/{name}/{_DATA}"

    def snapshots(self, name: str) -> str:
        """Where a volume's snapshots are."""
        return f"{self._root}/{name}/snapshots"

    def discard(self, path: str) -> None:
        """Has something that is no volume's deleted."""
        self._delete([path])

    def make(self, name: str) -> str | None:
        """An empty volume. Raises OSError.

        What lay there without being a volume is set aside: the path it now has.
        """
        aside = None
        if self._spares and self._took(self._spares.pop(), name):
            return aside
        try:
            self._begin(f"{self._root}/{name}")
        except FileExistsError:
            aside = self.install(self.begin(), name)
        return aside

    def _took(self, spare: str, name: str) -> bool:
        try:
            os.rename(spare, f"{self._root}/{name}")
        except OSError:
            # Something has the place, and has to be set aside first.
            if os.path.isdir(spare):
                self._spares.append(spare)
            return False
        return True

    @property
    def is_short(self) -> bool:
        """Whether directories should be laid by."""
        return len(self._spares) <= _SPARES // 2

    def lay_by(self) -> None:
        """Has some directories ready for volumes to come, as making them takes most of the time.

        For one thread at a time. Blocks.
        """
        try:
            while len(self._spares) < _SPARES:
                self._spares.append(self.begin("spare"))
        except OSError as error:
            _log.warning("cannot make directories for volumes to come: %s", error.strerror)

    def give_up(self) -> None:
        """Removes what was laid by. Blocks."""
        while self._spares:
            delete([self._spares.pop()])

    def begin(self, purpose: str = "new") -> str:
        """The directory of an empty volume that is none's yet. Raises OSError."""
        fresh = self.scratch(purpose)
        self._begin(fresh)
        return fresh

    def _begin(self, path: str) -> None:
        os.mkdir(path, _MODE)
        os.mkdir(f"{path}/{_DATA}", _DATA_MODE)
        # Not left to the umask: any user inside a container has to get in.
        if self._masked:
            os.chmod(path, _MODE)
            os.chmod(f"{path}/{_DATA}", _DATA_MODE)

    def install(self, fresh: str, name: str) -> str | None:
        """Makes what was begun a volume's; see `make`. Raises OSError."""
        aside = self.set_aside(name)
        os.rename(fresh, f"{self._root}/{name}")
        return aside

    def set_aside(self, name: str) -> str | None:
        """Moves a volume out of the way, to be deleted: where to. Raises OSError."""
        aside = self.scratch("old")
        try:
            os.rename(f"{self._root}/{name}", aside)
        except FileNotFoundError:
            return None
        return aside

    def scratch(self, purpose: str) -> str:
        """A name for something not yet or no longer a volume."""
        return f"{self._root}/.{purpose}-{self._run}-{secrets.token_hex(8)}"

    def names(self) -> list[str]:
        """What has the name of a volume, whether it is one or not. Raises OSError."""
        return [name for name in os.listdir(self._root) if not name.startswith(".")]

    def garbage(self, live: Collection[str]) -> list[str]:
        """All that is no live volume's, set aside, but for what we are making. Raises OSError."""
        found = []
        for name in os.listdir(self._root):
            if name.startswith("."):
                found += [] if f"-{self._run}-" in name else [f"{self._root}/{name}"]
            elif name not in live and os.path.isdir(f"{self._root}/{name}"):
                found += filter(None, [self.set_aside(name)])
        return found


def delete(paths: Collection[str]) -> None:
    """Deletes whole trees. Blocks. What cannot be deleted stays garbage."""
    for path in paths:
        try:
            trees.remove_tree(path)
        except OSError as error:
            _log.warning("cannot remove %s: %s", path, error.strerror)


def size(path: str) -> int:
    """Bytes of the files in a tree, each hard link once; of what can be read. Blocks."""
    try:
        return sum(found.st_size for found in trees.walk(path) if not stat.S_ISDIR(found.st_mode))
    except OSError:
        return 0
