"""Layers made up at random become the file system that umoci makes of them."""

import gzip
import io
import random
import shutil
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lading.snapshots import OverlaySnapshots

from ..images import foreign
from ..images.layouts import Layout
from .trees import Description, add_layer, described, member, packed

Member = tuple[tarfile.TarInfo, bytes]
NAMES = ("a", "b", "c")


class Sketch:
    """One layer at random; it knows what it has so far, so that hard links have something to lead to."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self._chance = chance
        self._number = number
        self._kinds: dict[str, str] = {}
        self.members: list[Member] = []
        self._deeds = [self.file, self.file, self.folder, self.folder, self.link, self.hard, self.pipe]
        self._deeds += [self.gone, self.opaque]

    def draw(self) -> bytes:
        for _ in range(self._chance.randint(3, 14)):
            path = "/".join(self._chance.choices(NAMES, k=self._chance.randint(1, 3)))
            self._chance.choice(self._deeds)(path)
        return packed(*self.members)

    def _put(self, path: str, kind: str, info: tarfile.TarInfo, data: bytes = b"") -> None:
        if any(self._kinds.get(above, "folder") != "folder" for above in _above(path)):
            # Nothing is put below a file: docker and umoci do not agree on it.
            return
        self._describe_above(path)
        if not (kind == "folder" and self._kinds.get(path) == "folder"):
            self._kinds = {
                known: each for known, each in self._kinds.items() if not known.startswith(path + "/")
            }
        self._kinds[path] = kind
        info.mtime = self._chance.randint(1, 1 << 31)
        info.mode = self._chance.choice((0o644, 0o755, 0o4755, 0o2711, 0o1777))
        info.uid, info.gid = self._chance.choice(((0, 0), (1, 2), (70_000, 3)))
        self.members.append((info, data))

    def _describe_above(self, path: str) -> None:
        """umoci makes a directory in the place of what a lower layer has only where it is described."""
        for above in reversed(list(_above(path))):
            if above not in self._kinds:
                self.folder(above)

    def file(self, path: str) -> None:
        self._put(path, "file", member(path), f"{path} of {self._number} {self._chance.random()}".encode())

    def folder(self, path: str) -> None:
        self._put(path, "folder", member(path, tarfile.DIRTYPE))

    def link(self, path: str) -> None:
        self._put(path, "link", member(path, tarfile.SYMTYPE, linkname="to/nowhere"))

    def pipe(self, path: str) -> None:
        self._put(path, "pipe", member(path, tarfile.FIFOTYPE))

    def hard(self, path: str) -> None:
        files = [
            known for known, kind in self._kinds.items() if kind == "file" and not known.startswith(path)
        ]
        if files:
            self._put(path, "hard", member(path, tarfile.LNKTYPE, linkname=self._chance.choice(files)))

    def gone(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        if all(self._kinds.get(each, "folder") == "folder" for each in _above(path)):
            self._describe_above(path)
            self.members.append((member(f"{above}/.wh.{name}".lstrip("/")), b""))

    def opaque(self, path: str) -> None:
        if self._kinds.get(path) == "folder":
            self.members.append((member(f"{path}/.wh..wh..opq"), b""))


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _comparable(found: Description) -> Description:
    """Without the times of directories: those that were not described are as new as the tree."""
    return {
        path: tuple(value for place, value in enumerate(one) if place != 5 or one[0] != stat.S_IFDIR)
        for path, one in found.items()
    }


@foreign.needs("umoci")
@pytest.mark.parametrize("seed", range(16))
def test_what_umoci_makes_of_it(tmp_path: Path, snapshots: OverlaySnapshots, target: Path, seed: int) -> None:
    chance = random.Random(seed)
    for attempt in range(3):
        layers = [Sketch(chance, number).draw() for number in range(chance.randint(1, 4))]
        layout = Layout()
        layout.list(layout.image(layers, compress=gzip.compress))
        place = foreign.written(layout, "it", tmp_path / f"layout{attempt}")
        truth = foreign.unpacked_by_umoci(place, "it", tmp_path / f"umoci{attempt}")
        chain = None
        for layer in layers:
            chain = add_layer(snapshots, layer, chain)
        snapshots.prepare(f"key{attempt}", chain)
        snapshots.mount(f"key{attempt}", str(target))
        try:
            assert _comparable(described(target)) == _comparable(described(truth)), _told(layers)
        finally:
            snapshots.unmount(str(target))
        shutil.rmtree(truth)


def _told(layers: list[bytes]) -> str:
    """The layers, for whoever looks at a failure."""
    return "\n".join(
        f"{number}: {info.name} {info.type!r} {info.linkname}"
        for number, layer in enumerate(layers)
        for info in tarfile.open(fileobj=io.BytesIO(layer))
    )
