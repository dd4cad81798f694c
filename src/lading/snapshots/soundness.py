"""Whether the directories of overlay snapshots are what the database says of them.

See `contract.Soundness`.
"""

import os
from collections.abc import Callable, Collection
from functools import partial

from lading.linux import mounts
from lading.oci.image import digest_of
from lading.snapshots.contract import Staged
from lading.snapshots.difference import difference
from lading.snapshots.pack import Push, pack
from lading.snapshots.store import SnapshotStore
from lading.snapshots.trash import Trash


class OverlaySoundness:
    """Looks after what lies below one directory.

    `making` are directories that have no row yet, `chains` what is known of the
    places of layers, as `directories` gives them.
    """

    def __init__(
        self,
        root: str,
        store: SnapshotStore,
        trash: Trash,
        making: set[str],
        chains: dict[str, tuple[str, ...]],
        directories: Callable[[str | None], tuple[str, ...]],
    ) -> None:
        self._root = root
        self._store = store
        self._trash = trash
        self._making = making
        self._chains = chains
        self._directories = directories

    def names(self) -> list[str]:
        return [name for name in os.listdir(self._root) if not name.startswith(".")]

    def strays(self, names: Collection[str]) -> list[str]:
        known = self._store.directories()
        found = [name for name in names if name not in known and name not in self._making]
        return [name for name in found if os.path.lexists(f"{self._root}/{name}")]

    def throw_strays(self, names: Collection[str]) -> None:
        for name in self.strays(names):
            self._trash.throw(f"{self._root}/{name}")

    def damaged(self) -> dict[str, str]:
        layers = {layer.chain_id: layer for layer in self._store.layers()}
        found = {}
        for chain_id, layer in layers.items():
            if layer.parent is not None and layer.parent not in layers:
                found[chain_id] = f"the layer {layer.parent} below it is missing"
            elif chain_id != chain_id_of(layer.parent, layer.diff_id):
                found[chain_id] = f"it is not what {layer.diff_id} makes on top of {layer.parent}"
            elif not os.path.isdir(self._directories(chain_id)[-1]):
                found[chain_id] = "its directory is missing"
        return found

    def damaged_writables(self) -> dict[str, str]:
        known = self._store.writables()
        return {
            key: "its directory is missing"
            for key, directory in known.items()
            if not all(os.path.isdir(f"{self._root}/{directory}/{part}") for part in "uw")
        }

    def difference(self, chain_id: str, staged: Staged) -> Callable[[], str]:
        return partial(difference, self._directories(chain_id)[-1], staged.directory)

    def layer_packer(self, chain_id: str) -> Callable[[Push], None]:
        directory = self._directories(chain_id)[-1]
        return lambda push: pack(directory, push)

    def is_mounted(self, chain_id: str) -> bool:
        # Of several ways to name the layers in a mount's options, only the upper directory is in all.
        uppers = filter(None, map(upper_of, mounts.table()))
        # Kernels before 6.5 may have been told names relative to the root.
        mounted = {os.path.dirname(os.path.join(self._root, upper)) for upper in uppers}
        wanted = self._directories(chain_id)[-1]
        for key, directory in self._store.writables().items():
            found = self._store.writable(key)
            if f"{self._root}/{directory}" in mounted and found and wanted in self._directories(found[1]):
                return True
        return False

    def replace(self, chain_id: str, staged: Staged) -> None:
        before = self._directories(chain_id)[-1]
        self._store.replace_directory(chain_id, os.path.basename(staged.directory))
        self._making.discard(os.path.basename(staged.directory))
        self._chains.clear()
        self._trash.throw(before)

    def forget_blobs(self, digests: Collection[str]) -> None:
        self._store.forget_blobs(digests)


def chain_id_of(parent: str | None, diff_id: str) -> str:
    """The chain ID of a layer on top of another, or of none."""
    return digest_of(f"{parent} {diff_id}".encode()) if parent else diff_id


def upper_of(entry: mounts.MountInfo) -> str:
    """The upper directory of an overlay, or nothing."""
    if entry.fs_type != "overlay":
        return ""
    for option in entry.super_options.split(","):
        if option.startswith("upperdir="):
            return option.removeprefix("upperdir=")
    return ""
