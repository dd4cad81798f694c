"""Unpacking by the rules of `docker cp`: into a directory that is there, with people in it."""

import os
import stat
from collections.abc import Callable

from lading.errors import InvalidParameter
from lading.linux.extract import Extraction, no_displacing
from lading.oci import tar

Owner = Callable[[tar.Entry], tuple[int, int] | None]


class CopyInto(Extraction):
    """Unpacks into the directory `target` of the tree at `root`, whose users may change it meanwhile.

    `owner` says to whom what an entry makes is given, None meaning nobody.
    With `keep_kinds` no directory is replaced by something else, nor the other
    way round. `shown` is how errors call the directory.
    """

    def __init__(
        self,
        root: int,
        owner: Owner,
        *,
        shown: str,
        target: bytes = b"",
        keep_kinds: bool = True,
        displace: Callable[[int, bytes], None] = no_displacing,
    ) -> None:
        super().__init__(root, displace, base=target)
        self._shown = shown
        self._owner = owner
        self._keep_kinds = keep_kinds

    def put(self, entry: tar.Entry, parent: bytes, name: bytes, reader: tar.Reader) -> None:
        # The directory that is copied into keeps its owner and mode.
        if entry.type != tar.DIRECTORY or name:
            super().put(entry, parent, name, reader)

    def owner(self, entry: tar.Entry) -> tuple[int, int] | None:
        return self._owner(entry)

    def clash(self, present: os.stat_result, path: bytes, *, directory: bool) -> None:
        if not self._keep_kinds:
            return
        if directory and not stat.S_ISDIR(present.st_mode):
            raise InvalidParameter(self._refusal("non-directory", path, "directory"))
        if not directory:
            raise InvalidParameter(self._refusal("directory", path, "non-directory"))

    def _refusal(self, old: str, path: bytes, new: str) -> str:
        full = os.path.join(self._shown, os.fsdecode(path))
        return f'cannot overwrite {old} "{full}" with {new} "{self._shown}"'
