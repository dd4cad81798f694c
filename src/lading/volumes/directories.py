"""The directories of volumes: `<root>/<name>/_data`.

A directory whose volume is not in the database is garbage. What is being made
or thrown away has a name that begins with a dot, which no volume's does.
"""

import os
import secrets
import shutil
from collections.abc import Collection

_DATA = "_data"


class Directories:
    """Where the local driver keeps what is in its volumes."""

    def __init__(self, root: str) -> None:
        self._root = root

    def data(self, name: str) -> str:
        """What gets mounted."""
        return f"{self._root}/{name}/{_DATA}"

    def make(self, name: str) -> str | None:
        """An empty volume. Raises OSError.

        What lay there without being a volume is set aside: the path it now has.
        """
        fresh = self.scratch("new")
        os.mkdir(fresh)
        os.mkdir(f"{fresh}/{_DATA}")
        # Not left to the umask: any user inside a container has to get in.
        os.chmod(fresh, 0o701)
        os.chmod(f"{fresh}/{_DATA}", 0o755)
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
        return f"{self._root}/.{purpose}-{secrets.token_hex(8)}"

    def garbage(self, live: Collection[str]) -> list[str]:
        """All that is no live volume's, set aside. Only while nothing is being made. Raises OSError."""
        found = []
        for name in os.listdir(self._root):
            if name.startswith("."):
                found.append(f"{self._root}/{name}")
            elif name not in live and os.path.isdir(f"{self._root}/{name}"):
                found += filter(None, [self.set_aside(name)])
        return found


def delete(paths: Collection[str]) -> None:
    """Deletes whole trees. Blocks. What cannot be deleted stays garbage."""
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def size(path: str) -> int:
    """Bytes of the files in a tree, each hard link once. Blocks."""
    total, seen = 0, set()
    for _, _, files, descriptor in os.fwalk(path, follow_symlinks=False):
        for name in files:
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_size
    return total
