"""What an archive may at most unpack to, and how much of that it has used.

An archive of a megabyte can describe millions of files or endless zeros. What
counts is what its members take here: entries, directories made without being
described too, and blocks of the disk.
"""

from dataclasses import dataclass

from lading.errors import InternalError, TooLarge

BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """Entries, bytes of the files, and directories: those are remembered until the end, 300 bytes each.

    `room` is the bytes and `inodes` the files that the file system has left,
    None where that is not to be looked at.
    """

    entries: int = 10_000_000
    size: int = 1 << 42
    directories: int = 1_000_000
    room: int | None = None
    inodes: int | None = None


class Tally:
    """Counts one archive against its limits.

    Raises TooLarge, and InternalError where the disk is too full.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        room = limits.room
        self._room = room if room is not None else limits.size
        self._most = limits.entries if limits.inodes is None else min(limits.entries, limits.inodes)
        self.entries = 0
        self.directories = 0
        self.size = 0
        self._used = 0

    def entry(self, size: int, stored: int) -> None:
        """One member: a file of `size` bytes, of which `stored` are in the archive."""
        self.entries += 1
        self.size += size
        self._used += (stored + BLOCK - 1) & -BLOCK
        if self.entries > self._most or self.size > self._limits.size or self._used > self._room:
            self._refuse()

    def directory(self, *, implied: bool = False) -> None:
        """One directory that has to be remembered; an `implied` one is no member of the archive."""
        self.directories += 1
        self.entries += implied
        self._used += BLOCK
        over = self.directories > self._limits.directories or self.entries > self._most
        if over or self._used > self._room:
            self._refuse()

    def _refuse(self) -> None:
        limits = self._limits
        if self.entries > limits.entries:
            raise TooLarge(f"the archive has more than {limits.entries} entries")
        if self.directories > limits.directories:
            raise TooLarge(f"the archive has more than {limits.directories} directories")
        if self.size > limits.size:
            raise TooLarge(f"the archive unpacks to more than {limits.size} bytes")
        if self.entries > self._most:
            raise InternalError(f"no space left on device: there is room for {self._most} entries only")
        raise InternalError(f"no space left on device: there is room for {self._room} bytes only")
