"""What an implementation of snapshots offers. One test suite runs against each.

`stage`, `inherit`, `discard` and `unmount` may be called from any thread;
everything else runs on the loop's thread.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from lading.snapshots.changes import Change
from lading.snapshots.pack import Push


@dataclass(slots=True)
class Staged:
    """An unpacked layer that does not exist yet.

    `implied` are directories the archive did not describe but put something
    into, the empty path being the root; `hiding` those with whiteouts. `size`
    is the bytes of its files.
    """

    directory: str
    size: int = 0
    implied: list[bytes] = field(default_factory=list)
    hiding: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that exists, on top of all its parents."""

    chain_id: str
    diff_id: str
    parent: str | None
    size: int
    blob_digest: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a writable layer holds: bytes and number of inodes."""

    size: int
    inodes: int


class Soundness(Protocol):
    """Whether layers are what they should be, and putting them right. Loop thread but where it says so."""

    def names(self) -> list[str]:
        """The directories that are there. Any thread. Raises OSError."""

    def strays(self, names: Collection[str]) -> list[str]:
        """Those of `names` that belong to nothing that exists or is being made."""

    def throw_strays(self, names: Collection[str]) -> None:
        """Removes those of `names` that are strays."""

    def damaged(self) -> dict[str, str]:
        """Layers, by chain ID, without a directory or with rows that contradict themselves; and how."""

    def damaged_writables(self) -> dict[str, str]:
        """Writable layers, by key, whose directories are not there; and how."""

    def difference(self, chain_id: str, staged: Staged) -> Callable[[], str]:
        """A function for any thread, which tells what is not in a layer as in what was staged (or nothing).

        Raises NotFound; the function raises OSError.
        """

    def layer_packer(self, chain_id: str) -> Callable[[Push], None]:
        """A function for any thread, which writes a layer as an archive: the one it came from if made here.

        Raises NotFound; the function raises OSError.
        """

    def is_mounted(self, chain_id: str) -> bool:
        """Whether a container stands on the layer at this moment."""

    def replace(self, chain_id: str, staged: Staged) -> None:
        """Puts what was staged in the place of a layer's directory. Raises NotFound."""

    def forget_blobs(self, digests: Collection[str]) -> None:
        """Layers that came from these blobs have none any more."""


class Snapshots(Protocol):
    """Layers by chain ID, writable layers by key (the container's ID).

    At most `max_layers` can be on top of each other.
    """

    name: str
    max_layers: int

    @property
    def soundness(self) -> Soundness:
        """Whether they are what they should be."""

    def open(self) -> None:
        """Makes the directories and throws away what a crash left. Raises OSError."""

    async def close(self) -> None:
        """Waits until everything thrown away is gone."""

    def stage(self, pull: Callable[[], bytes]) -> Staged:
        """Unpacks a plain layer archive. Raises LadingError, leaving nothing behind."""

    def inherit(self, staged: Staged, below: Collection[str]) -> None:
        """Fits a layer to those below: implied directories get the owner, mode and times they have there.

        Whiteouts that hide nothing go: overlay would show them.

        `below` are the directories of the layers below, lowest first (see `directories`).
        """

    def discard(self, staged: Staged) -> None:
        """Drops a staged layer."""

    def commit(self, staged: Staged, diff_id: str, parent: str | None, blob_digest: str) -> str:
        """Makes a staged layer exist and gives its chain ID.

        Belongs into the transaction that needs it. Where the same layer exists
        already the staged one is dropped.
        """

    def layer(self, chain_id: str) -> Layer | None:
        """A layer, or None."""

    def layers(self) -> list[Layer]:
        """Every layer."""

    def directories(self, chain_id: str | None) -> tuple[str, ...]:
        """Where the layers of a chain are, lowest first. Raises NotFound."""

    def needed(self, chain_ids: Collection[str]) -> set[str]:
        """The layers that are in `chain_ids`, below one of them, or below a writable layer."""

    def retain(self, chain_ids: Collection[str]) -> None:
        """Removes every layer that is not `needed`.

        Not inside a transaction: files go for good.
        """

    def can_limit(self) -> bool:
        """Whether writable layers can be limited in size."""

    def prepare(self, key: str, parent: str | None, limit: int = 0, mark: str = "") -> None:
        """Makes an empty writable layer on top of a chain, of at most `limit` bytes where given.

        It begins with an empty file named `mark`, if any. Raises Conflict, NotFound, OSError.
        """

    def mount(self, key: str, target: str, volatile: bool = False) -> None:
        """Mounts a writable layer. Raises NotFound, OSError.

        `volatile` skips every sync: for what is thrown away when its container ends.
        """

    def unmount(self, target: str) -> None:
        """Unmounts; nothing happens where nothing is mounted. Any thread. Raises OSError.

        May wait until the file system has written what is dirty, unless the mount is volatile.
        """

    def remove(self, key: str) -> None:
        """Removes a writable layer; nothing happens where there is none."""

    async def usage(self, key: str) -> Usage:
        """Counts what a writable layer holds. Raises NotFound."""

    async def changes(self, key: str, taken_for_granted: Collection[str] = ()) -> list[Change]:
        """What a writable layer changes of the layers below (see `changes.compare`).

        Raises NotFound, InternalError.
        """

    def packer(self, key: str, taken_for_granted: Collection[str] = ()) -> Callable[[Push], None]:
        """A function for any thread, which writes a writable layer as the archive of a layer (see `pack`).

        Raises NotFound; the function raises OSError.
        """

    def keys(self) -> list[str]:
        """Every writable layer."""

    def sweep(self, live: Collection[str]) -> None:
        """Removes writable layers not in `live`, and mounts of layers that no longer exist."""

    def driver_data(self, key: str) -> dict[str, str]:
        """What inspect shows of a container's storage (GraphDriver.Data)."""

    def layer_data(self, chain_id: str | None) -> dict[str, str]:
        """What inspect shows of an image's storage (GraphDriver.Data)."""
