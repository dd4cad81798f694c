"""An archive on its way into a container's tree, which its process may be changing at the same time."""

import os
import stat
from collections.abc import Callable

from lading.content import MAGIC_LENGTH, detect, inflate
from lading.errors import InvalidParameter
from lading.linux.extract import Extraction
from lading.oci import tar
from lading.snapshots import remove_entry


class CopyIn(Extraction):
    """Unpacks into the directory `target` of the tree at `root`, by the rules of `docker cp`."""

    def __init__(self, root: int, target: str, owner: tuple[int, int] | None, *, keep_kinds: bool) -> None:
        super().__init__(root, remove_entry, base=os.fsencode(target))
        self._target = target
        self._owner = owner
        self._keep_kinds = keep_kinds

    def put(self, entry: tar.Entry, parent: bytes, name: bytes, reader: tar.Reader) -> None:
        # The directory that is copied into keeps its owner and mode.
        if entry.type != tar.DIRECTORY or name:
            super().put(entry, parent, name, reader)

    def owner(self, entry: tar.Entry) -> tuple[int, int]:
        # Always: a directory that is there may hand its own group to what is made in it.
        return self._owner or (entry.uid, entry.gid)

    def clash(self, present: os.stat_result, path: bytes, *, directory: bool) -> None:
        if not self._keep_kinds:
            return
        if directory and not stat.S_ISDIR(present.st_mode):
            raise InvalidParameter(self._refusal("non-directory", path, "directory"))
        if not directory:
            raise InvalidParameter(self._refusal("directory", path, "non-directory"))

    def _refusal(self, old: str, path: bytes, new: str) -> str:
        full = os.path.join(self._target, os.fsdecode(path))
        return f'cannot overwrite {old} "{full}" with {new} "{self._target}"'


def plain(pull: Callable[[], bytes]) -> Callable[[], bytes]:
    """The archive without its compression, which its first bytes tell. Raises what `pull` raises."""
    start = b""
    while len(start) < MAGIC_LENGTH and (piece := pull()):
        start += piece
    rest = [start]

    def whole() -> bytes:
        return rest.pop() if rest else pull()

    return inflate(whole, detect(start))
