"""What every volume driver has to do, and that the engine needs no more of it."""

import asyncio
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import pytest

from lading.errors import Conflict, InternalError, InvalidParameter, NotFound
from lading.events import Bus
from lading.filters import Filters
from lading.linux import mounts
from lading.paths import Layout
from lading.schema.container import ContainerConfig, HostConfig
from lading.schema.volume import VolumeCreateBody
from lading.state import Database
from lading.volumes import MountPoint, Volumes
from lading.volumes.contract import Driver
from lading.volumes.directories import Directories, delete
from lading.volumes.local import LocalDriver
from lading.volumes.local_mounts import LocalMounts

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


class Shelf:
    """A driver as a plugin would be: a volume is at its path only while it is mounted."""

    name = "shelf"
    scope = "global"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._users: dict[str, set[str]] = {}
        (root / "shown").mkdir(parents=True)

    def check(self, options: Mapping[str, str]) -> None:
        if set(options) - {"size"}:
            raise InvalidParameter("only size")

    def create(self, name: str, options: Mapping[str, str]) -> None:
        if options.get("size") == "too much":
            raise InternalError("the shelf is full")
        self.remove(name)
        (self._root / name).mkdir()

    def remove(self, name: str) -> None:
        delete([str(self._root / name)] if (self._root / name).exists() else [])

    def path(self, name: str) -> str:
        return f"{self._root}/shown/{name}"

    def is_ready(self, options: Mapping[str, str]) -> bool:
        return False

    def mount(self, name: str, options: Mapping[str, str], user: str) -> None:
        users = self._users.setdefault(name, set())
        if not users:
            os.makedirs(self.path(name))
            mounts.bind(f"{self._root}/{name}", self.path(name))
        users.add(user)

    def unmount(self, name: str, user: str) -> None:
        users = self._users.get(name, set())
        if user in users:
            users.remove(user)
            if not users:
                mounts.unmount(self.path(name))
                os.rmdir(self.path(name))

    def sweep(self, volumes: Collection[str], users: Collection[str]) -> None:
        for name, present in self._users.items():
            for user in list(present):
                if user not in users:
                    self.unmount(name, user)
        for name in os.listdir(self._root):
            if name != "shown" and name not in volumes:
                self.remove(name)


def _local(root: Path) -> Driver:
    (root / "volumes").mkdir(parents=True)
    directories = Directories(f"{root}/volumes", delete)
    return LocalDriver(directories, LocalMounts(f"{root}/run"), delete)


MAKERS: dict[str, tuple[Callable[[Path], Driver], dict[str, str]]] = {
    "local": (_local, {}),
    "local, mounted": (_local, {"type": "tmpfs", "device": "tmpfs"}),
    "plugin": (Shelf, {"size": "1g"}),
}


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Driver, dict[str, str]]]:
    make, options = MAKERS[request.param]
    yield make(tmp_path / "driver"), options
    for found in reversed(mounts.table()):
        if found.target.startswith(str(tmp_path)):
            mounts.unmount_if_mounted(found.target)


def test_a_volume_is_there_while_it_is_mounted(kind: tuple[Driver, dict[str, str]]) -> None:
    driver, options = kind
    driver.check(options)
    driver.create("data", options)
    driver.mount("data", options, "one")
    driver.mount("data", options, "two")
    driver.mount("data", options, "two")
    Path(driver.path("data"), "file").write_text("x")
    driver.unmount("data", "one")
    driver.unmount("data", "one")
    assert Path(driver.path("data"), "file").read_text() == "x"
    driver.unmount("data", "two")
    driver.unmount("data", "nobody")
    assert driver.is_ready(options) == os.path.exists(f"{driver.path('data')}/file")


def test_a_volume_made_again_is_empty(kind: tuple[Driver, dict[str, str]]) -> None:
    driver, options = kind
    driver.create("data", options)
    driver.mount("data", options, "one")
    Path(driver.path("data"), "file").touch()
    driver.unmount("data", "one")
    driver.remove("data")
    driver.remove("data")
    driver.create("data", options)
    driver.create("data", options)
    driver.mount("data", options, "one")
    assert os.listdir(driver.path("data")) == []


def test_a_sweep_leaves_what_is_known(kind: tuple[Driver, dict[str, str]]) -> None:
    driver, options = kind
    for name in ("kept", "lost"):
        driver.create(name, options)
        driver.mount(name, options, "lives")
        driver.mount(name, options, "ended")
    driver.unmount("lost", "lives")
    driver.sweep({"kept"}, {"lives"})
    assert os.path.isdir(driver.path("kept"))
    assert not os.path.exists(driver.path("lost"))
    driver.unmount("kept", "lives")
    assert driver.path("kept") not in {found.target for found in mounts.table()}


def test_bad_options_are_refused(kind: tuple[Driver, dict[str, str]]) -> None:
    driver, _ = kind
    with pytest.raises(InvalidParameter):
        driver.check({"nonsense": "1"})


def test_the_engine_with_a_driver_of_others(tmp_path: Path) -> None:
    layout = Layout(f"{tmp_path}/data", f"{tmp_path}/run")
    layout.make()
    shelf = Shelf(tmp_path / "shelf")
    database = Database(layout.database)
    volumes = Volumes(layout, database, Bus(), [shelf])

    def use(container: str) -> list[MountPoint]:
        host = HostConfig(binds=["data:/d:nocopy"], volume_driver="shelf")
        return volumes.ensure(container, volumes.plan(ContainerConfig(), host, {}))

    async def scene() -> None:
        points = use("c1")
        assert volumes.inspect("data")["Driver"] == "shelf"
        assert volumes.inspect("data")["Scope"] == "global"
        (mount,) = await volumes.mount("c1", points, {})
        assert mount["source"] == shelf.path("data")
        with pytest.raises(Conflict, match="driver 'shelf' already has volume 'data': volume name must be"):
            volumes.create(VolumeCreateBody(name="data", driver="local"))
        await volumes.unmount("c1", points)
        assert not os.path.exists(shelf.path("data"))
        with pytest.raises(InternalError, match=r"^create big: the shelf is full$"):
            volumes.create(VolumeCreateBody(name="big", driver="shelf", driver_opts={"size": "too much"}))
        volumes.release("c1", remove_anonymous=True)
        assert (await volumes.prune(Filters({"all": ["true"]})))["VolumesDeleted"] == []
        # The driver is gone: its volumes are still known, and go only by force.
        without = Volumes(layout, database, Bus())
        assert [volume["Name"] for volume in without.list(Filters())] == ["data"]
        with pytest.raises(NotFound, match='plugin "shelf" not found'):
            without.remove("data")
        volumes.remove("data")
        assert not (tmp_path / "shelf" / "data").exists()

    asyncio.run(scene())
