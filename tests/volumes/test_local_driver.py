"""Volumes that are mounted: at their first user, until after their last."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lading.errors import Conflict, InternalError, InvalidParameter, NotFound
from lading.events import Bus
from lading.linux import mounts
from lading.paths import Layout
from lading.schema.container import ContainerConfig, HostConfig
from lading.schema.volume import VolumeCreateBody
from lading.state import Database
from lading.volumes import MountPoint, Volumes

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


class House:
    """An engine's volumes; `open` again stands for a daemon that was killed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(f"{root}/data", f"{root}/run")
        self.layout.make()
        self.open()

    def open(self) -> None:
        self.volumes = Volumes(self.layout, Database(self.layout.database), Bus())

    def create(self, **options: str) -> str:
        made = self.volumes.create(VolumeCreateBody(name="data", driver_opts=options))
        place: str = made["Mountpoint"]
        return place

    def use(self, container: str) -> list[MountPoint]:
        planned = self.volumes.plan(ContainerConfig(), HostConfig(binds=["data:/d:nocopy"]), {})
        return self.volumes.ensure(container, planned)

    def mounted(self) -> list[str]:
        return [each.target for each in mounts.table() if each.target.startswith(str(self.root))]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    for target in reversed(house.mounted()):
        mounts.unmount_if_mounted(target)


def test_it_is_mounted_from_the_first_user_to_the_last(house: House) -> None:
    async def scene() -> None:
        place = house.create(type="tmpfs", device="tmpfs", o="size=1m,mode=1777")
        first, second = house.use("c1"), house.use("c2")
        assert house.mounted() == []
        await house.volumes.mount("c1", first, {})
        await house.volumes.mount("c2", second, {})
        assert house.mounted() == [place]
        Path(place, "kept").write_text("x")
        await house.volumes.unmount("c1", first)
        await house.volumes.unmount("c1", first)
        assert os.listdir(place) == ["kept"]
        await house.volumes.unmount("c2", second)
        assert house.mounted() == []
        assert os.listdir(place) == []

    asyncio.run(scene())


def test_a_daemon_that_was_killed_knows_who_uses_what(house: House) -> None:
    async def scene() -> None:
        place = house.create(type="tmpfs", device="tmpfs")
        first, second = house.use("c1"), house.use("c2")
        await house.volumes.mount("c1", first, {})
        await house.volumes.mount("c2", second, {})
        house.open()
        house.volumes.sweep({"c1", "c2"}, {"c1"})
        assert house.mounted() == [place]
        await house.volumes.unmount("c1", first)
        assert house.mounted() == []

    asyncio.run(scene())


def test_what_was_mounted_for_nobody_is_unmounted_at_the_next_start(house: House) -> None:
    async def scene() -> None:
        place = house.create(type="tmpfs", device="tmpfs")
        mounts.tmpfs(place)
        house.open()
        house.volumes.sweep(set(), set())
        assert house.mounted() == []
        assert house.volumes.inspect("data")["Mountpoint"] == place

    asyncio.run(scene())


def test_removing_a_bound_directory_spares_what_is_in_it(house: House, tmp_path: Path) -> None:
    async def scene() -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "precious").touch()
        place = house.create(type="none", device=str(outside), o="bind")
        points = house.use("c1")
        await house.volumes.mount("c1", points, {})
        assert os.listdir(place) == ["precious"]
        with pytest.raises(Conflict, match=r"^remove data: volume is in use - \[c1\]$"):
            house.volumes.remove("data")
        # Its user is gone, but the unmounting never came.
        house.volumes.release("c1", remove_anonymous=True)
        house.volumes.remove("data")
        await house.volumes.close()
        assert (outside / "precious").exists()
        assert house.mounted() == []
        assert os.listdir(house.layout.volumes) == []

    asyncio.run(scene())


def test_a_stranger_in_our_directory_is_unmounted_before_it_is_thrown_away(
    house: House, tmp_path: Path
) -> None:
    async def scene() -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "precious").touch()
        place = Path(house.layout.volumes, "nobodys", "_data")
        place.mkdir(parents=True)
        mounts.bind(str(outside), str(place))
        house.volumes.sweep(set(), set())
        await house.volumes.close()
        assert (outside / "precious").exists()
        assert os.listdir(house.layout.volumes) == []

    asyncio.run(scene())


def test_it_can_be_mounted_read_only(house: House, tmp_path: Path) -> None:
    async def scene() -> None:
        place = house.create(type="none", device=str(tmp_path), o="bind,ro")
        await house.volumes.mount("c1", house.use("c1"), {})
        with pytest.raises(OSError, match="Read-only file system"):
            Path(place, "no").touch()

    asyncio.run(scene())


def test_what_cannot_be_mounted_is_told_as_dockerd_tells_it(house: House) -> None:
    async def scene() -> None:
        place = house.create(type="none", device="/not/there", o="bind")
        with pytest.raises(InternalError) as failure:
            await house.volumes.mount("c1", house.use("c1"), {})
        assert failure.value.message == (
            f"error while mounting volume '{place}': failed to mount local volume: "
            f"mount /not/there:{place}, flags: 0x1000: no such file or directory"
        )
        house.volumes.release("c1", remove_anonymous=False)
        house.volumes.remove("data")

    asyncio.run(scene())


def test_a_servers_name_that_nobody_knows(house: House) -> None:
    async def scene() -> None:
        house.create(type="nfs", device=":/x", o="addr=nowhere.invalid")
        with pytest.raises(InternalError, match="error resolving passed in network volume address: lookup"):
            await house.volumes.mount("c1", house.use("c1"), {})

    asyncio.run(scene())


def test_one_name_is_one_drivers(house: House) -> None:
    async def scene() -> None:
        house.create(type="tmpfs", device="tmpfs")
        again = house.volumes.create(
            VolumeCreateBody(name="data", driver="local", driver_opts={"type": "x", "bad": "y"})
        )
        assert again["Options"] == {"type": "tmpfs", "device": "tmpfs"}
        with pytest.raises(NotFound, match=r'^create data: error looking up volume plugin x: plugin "x"'):
            house.volumes.create(VolumeCreateBody(name="data", driver="x"))
        with pytest.raises(InvalidParameter, match=r'^create more: invalid option: "bad"$'):
            house.volumes.create(VolumeCreateBody(name="more", driver_opts={"bad": "y"}))
        assert [volume["Name"] for volume in [house.volumes.inspect("data")]] == ["data"]

    asyncio.run(scene())


def test_directories_laid_by_are_no_volumes(house: House) -> None:
    async def scene() -> None:
        for name in ("one", "two", "three"):
            house.volumes.create(VolumeCreateBody(name=name))
            await asyncio.sleep(0.05)
        house.volumes.sweep(set(), set())
        made = house.volumes.create(VolumeCreateBody(name="four"))
        assert os.listdir(made["Mountpoint"]) == []
        assert os.stat(made["Mountpoint"]).st_mode & 0o7777 == 0o755
        # As if killed: the next daemon clears up what this one had ready.
        house.open()
        house.volumes.sweep(set(), set())
        await house.volumes.close()
        assert sorted(os.listdir(house.layout.volumes)) == ["four", "one", "three", "two"]

    asyncio.run(scene())
