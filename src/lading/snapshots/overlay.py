"""Snapshots as overlay directories.

<snapshots>/<name>/          a layer: what it adds, whiteouts as overlay stores them
<snapshots>/<name>/u, w      a writable layer: upper and work directory
<snapshots>/.empty/          what a container without layers stands on
<snapshots>/.trash/          on its way out

Names are short because a kernel before 6.5 takes one page of mount options.
"""

import itertools
import os
import stat
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from lading.aio import tasks
from lading.errors import Conflict, InternalError, NotFound
from lading.linux import mounts, namespaces, project_quota
from lading.linux.tally import Limits
from lading.linux.trees import remove_tree
from lading.snapshots.changes import Change, compare
from lading.snapshots.contract import Layer, Staged, Usage
from lading.snapshots.inherit import inherit
from lading.snapshots.pack import Push, pack
from lading.snapshots.soundness import OverlaySoundness, chain_id_of, upper_of
from lading.snapshots.store import SnapshotStore
from lading.snapshots.trash import Trash
from lading.snapshots.unpack import is_opaque, unpack
from lading.snapshots.usage import measure
from lading.state import Database

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# What a layer may say must not depend on these being compiled or switched on.
_SAFE_OPTIONS = ("index", "metacopy", "redirect_dir")
# Numbers of project quotas; one for each writable layer that is limited.
_FIRST_PROJECT, _PROJECTS = 1 << 24, 1 << 30
# Bytes that unpacking leaves free.
_RESERVE = 256 << 20
_PARAMETERS = "/sys/module/overlay/parameters"


class OverlaySnapshots:
    """Layers and writable layers below one directory (see `contract.Snapshots`)."""

    name = "overlay2"
    max_layers = mounts.MAX_LOWER

    def __init__(self, directory: str, database: Database, limits: Limits | None = None) -> None:
        self._root = directory
        self._store = SnapshotStore(database)
        self._trash = Trash(f"{directory}/.trash")
        self._limits = limits or Limits()
        self._numbers = itertools.count()
        self._chains: dict[str, tuple[str, ...]] = {}
        self._options: tuple[str, ...] = ()
        # Directories that have no row yet.
        self._making: set[str] = set()
        self.soundness = OverlaySoundness(
            directory, self._store, self._trash, self._making, self._chains, self.directories
        )

    def open(self) -> None:
        """See the contract. Needs a running loop, whose threads empty the trash."""
        os.makedirs(f"{self._root}/.empty", mode=0o755, exist_ok=True)
        self._trash.open()
        known = self._store.directories()
        present = [name for name in os.listdir(self._root) if not name.startswith(".")]
        for name in present:
            if name not in known:
                self._trash.throw(f"{self._root}/{name}")
        highest = max((_number(name) for name in [*present, *known]), default=0)
        self._numbers = itertools.count(highest + 1)
        self._options = tuple(
            f"{name}=off" for name in _SAFE_OPTIONS if os.path.exists(f"{_PARAMETERS}/{name}")
        )

    async def close(self) -> None:
        await self._trash.close()

    def stage(self, pull: Callable[[], bytes]) -> Staged:
        path = self._new_directory()
        try:
            root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                unpacked = unpack(pull, root, self._displace, self._limits_here())
            finally:
                os.close(root)
        except BaseException:
            self._remove_now(path)
            raise
        return Staged(path, unpacked.size, unpacked.implied, unpacked.hiding)

    def _limits_here(self) -> Limits:
        """The limits, and what the file system has left but for a reserve: the database lives there too."""
        found = os.statvfs(self._root)
        reserve = min(_RESERVE, found.f_blocks * found.f_frsize // 20)
        room = max(0, found.f_bavail * found.f_frsize - reserve)
        # Some file systems make inodes as they need them, and say that there are none.
        return replace(self._limits, room=room, inodes=found.f_favail if found.f_files else None)

    def _new_directory(self) -> str:
        name = _name(next(self._numbers))
        self._making.add(name)
        path = f"{self._root}/{name}"
        os.mkdir(path, 0o755)
        # Whatever the umask: a container's root must be open to its users.
        os.chmod(path, 0o755)
        return path

    def _displace(self, directory: int, name: bytes) -> None:
        self._trash.remove(name, directory)

    def _remove_now(self, path: str) -> None:
        self._trash.remove(path)
        self._making.discard(os.path.basename(path))

    def inherit(self, staged: Staged, below: Collection[str]) -> None:
        inherit(staged.directory, staged.implied, staged.hiding, list(below))

    def discard(self, staged: Staged) -> None:
        if os.path.exists(staged.directory):
            self._remove_now(staged.directory)

    def commit(self, staged: Staged, diff_id: str, parent: str | None, blob_digest: str) -> str:
        chain_id = chain_id_of(parent, diff_id)
        self._making.discard(os.path.basename(staged.directory))
        present = self._store.layer(chain_id)
        if present is not None:
            self._trash.throw(staged.directory)
            if not present.blob_digest:
                self._store.set_blob(chain_id, blob_digest)
            return chain_id
        layer = Layer(chain_id, diff_id, parent, staged.size, blob_digest)
        self._store.add_layer(layer, os.path.basename(staged.directory))
        return chain_id

    def layer(self, chain_id: str) -> Layer | None:
        return self._store.layer(chain_id)

    def layers(self) -> list[Layer]:
        return self._store.layers()

    def directories(self, chain_id: str | None) -> tuple[str, ...]:
        if chain_id is None:
            return ()
        known = self._chains.get(chain_id)
        if known is None:
            found = self._store.layer_directory(chain_id)
            if found is None:
                raise NotFound(f"layer {chain_id} does not exist")
            directory, parent = found
            known = (*self.directories(parent), f"{self._root}/{directory}")
            self._chains[chain_id] = known
        return known

    def needed(self, chain_ids: Collection[str]) -> set[str]:
        parents = self._store.layer_parents()
        needed: set[str] = set()
        for start in {*chain_ids, *self._store.parents_in_use()}:
            current: str | None = start
            while current is not None and current not in needed and current in parents:
                needed.add(current)
                current = parents[current]
        return needed

    def retain(self, chain_ids: Collection[str]) -> None:
        needed = self.needed(chain_ids)
        gone = [chain_id for chain_id in self._store.layer_parents() if chain_id not in needed]
        if not gone:
            return
        directories = self._store.remove_layers(gone)
        self._chains.clear()
        for directory in directories:
            self._trash.throw(f"{self._root}/{directory}")

    def can_limit(self) -> bool:
        return project_quota.enforced(self._root)

    def prepare(self, key: str, parent: str | None, limit: int = 0, mark: str = "") -> None:
        if self._store.writable(key) is not None:
            raise Conflict(f"snapshot {key} exists already")
        below = self.directories(parent)
        path = self._new_directory()
        try:
            if limit:
                number = _number(os.path.basename(path))
                project_quota.limit(path, _FIRST_PROJECT + number % _PROJECTS, limit)
            os.mkdir(f"{path}/u", 0o755)
            os.mkdir(f"{path}/w", 0o700)
            _look_like(below[-1] if below else f"{self._root}/.empty", f"{path}/u")
            if mark:
                os.mknod(f"{path}/u/{mark}", 0o644 | stat.S_IFREG)
            self._store.add_writable(key, parent, os.path.basename(path))
        except BaseException:
            self._trash.throw(path)
            raise
        finally:
            self._making.discard(os.path.basename(path))

    def mount(self, key: str, target: str, volatile: bool = False) -> None:
        directory, parent = self._writable(key)
        lower = self._seen(parent) or (f"{self._root}/.empty",)
        upper, work = f"{directory}/u", f"{directory}/w"
        # The mark of an earlier volatile mount, which would refuse this one.
        remove_tree(f"{work}/work/incompat/volatile")
        options = (*self._options, "volatile") if volatile else self._options
        mounts.overlay(mounts.Overlay(lower, upper, work, options), target)

    def _lower(self, chain_id: str | None) -> mounts.Overlay:
        layers = self._seen(chain_id)
        # Overlay wants two lower directories where there is no upper one.
        padding = (f"{self._root}/.empty",) if len(layers) < 2 else ()
        return mounts.Overlay((*layers, *padding), options=self._options)

    def _seen(self, chain_id: str | None) -> tuple[str, ...]:
        """The layers of a chain that overlay stacks, topmost first.

        A layer may hide all below it. Overlay itself does not look for that mark on a layer's root.
        """
        layers = self.directories(chain_id)[::-1]
        last = next((place for place, layer in enumerate(layers) if is_opaque(layer)), len(layers))
        return layers[: last + 1]

    def _writable(self, key: str) -> tuple[str, str | None]:
        found = self._store.writable(key)
        if found is None:
            raise NotFound(f"snapshot {key} does not exist")
        return f"{self._root}/{found[0]}", found[1]

    def unmount(self, target: str) -> None:
        mounts.unmount_if_mounted(target)

    def remove(self, key: str) -> None:
        found = self._store.writable(key)
        if found is None:
            return
        self._store.remove_writable(key)
        self._trash.throw(f"{self._root}/{found[0]}")

    async def usage(self, key: str) -> Usage:
        directory, _ = self._writable(key)
        try:
            return await tasks.in_thread(measure, f"{directory}/u")
        except OSError as error:
            raise InternalError(f"cannot measure snapshot {key}: {error.strerror}") from None

    async def changes(self, key: str, taken_for_granted: Collection[str] = ()) -> list[Change]:
        directory, parent = self._writable(key)
        lower = self._lower(parent)
        work = partial(_changes, f"{directory}/u", lower, f"{self._root}/.empty", taken_for_granted)
        try:
            return await tasks.in_own_thread(work)
        except OSError as error:
            raise InternalError(f"cannot compare snapshot {key}: {error.strerror}") from None

    def packer(self, key: str, taken_for_granted: Collection[str] = ()) -> Callable[[Push], None]:
        directory, _ = self._writable(key)
        return lambda push: pack(f"{directory}/u", push, taken_for_granted)

    def keys(self) -> list[str]:
        return list(self._store.writables())

    def sweep(self, live: Collection[str]) -> None:
        for key in self.keys():
            if key not in live:
                self.remove(key)
        used = {f"{self._root}/{directory}" for directory in self._store.writables().values()}
        # Last mounted first, so that what lies on top of another goes before it.
        for entry in reversed(mounts.table()):
            upper = upper_of(entry)
            if upper and upper.startswith(f"{self._root}/") and os.path.dirname(upper) not in used:
                mounts.unmount_if_mounted(entry.target)

    def driver_data(self, key: str) -> dict[str, str]:
        directory, parent = self._writable(key)
        lower = ":".join(self.directories(parent)[::-1])
        merged = {"LowerDir": lower} if lower else {}
        upper, work = f"{directory}/u", f"{directory}/w"
        return {**merged, "MergedDir": f"{directory}/m", "UpperDir": upper, "WorkDir": work}

    def layer_data(self, chain_id: str | None) -> dict[str, str]:
        directories = self.directories(chain_id)
        if not directories:
            return {}
        below = ":".join(directories[-2::-1])
        shown = {"LowerDir": below} if below else {}
        return {**shown, "UpperDir": directories[-1]}


def _mount_lower(lower: mounts.Overlay, target: str) -> None:
    if len(lower.lower) == 1:
        mounts.bind(lower.lower[0], target, read_only=True)
    else:
        mounts.overlay(lower, target, mounts.MS_RDONLY)


def _changes(
    upper: str, lower: mounts.Overlay, place: str, taken_for_granted: Collection[str]
) -> list[Change]:
    """Compares with the layers below, mounted at `place` where only this thread sees it."""
    namespaces.own_mounts()
    _mount_lower(lower, place)
    descriptors = []
    try:
        for path in (upper, place):
            descriptors.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        return compare(descriptors[0], descriptors[1], taken_for_granted)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _look_like(model: str, directory: str) -> None:
    """The root of an overlay is seen with the mode and owner of its upper directory."""
    shown = os.stat(model)
    if shown.st_uid or shown.st_gid:
        os.chown(directory, shown.st_uid, shown.st_gid)
    os.chmod(directory, stat.S_IMODE(shown.st_mode))


def _name(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _number(name: str) -> int:
    try:
        return int(name, 36)
    except ValueError:
        return 0
