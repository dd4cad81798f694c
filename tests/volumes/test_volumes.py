"""Volumes on a real disk: made, filled, used, removed."""

import asyncio
import os
import resource
import stat
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lading.errors import Conflict, InternalError, InvalidParameter, NotFound
from lading.events import Bus
from lading.filters import Filters
from lading.linux import mounts, trees
from lading.paths import Layout
from lading.schema.container import ContainerConfig, HostConfig, Mount, VolumeOptions
from lading.schema.volume import VolumeCreateBody
from lading.state import Database
from lading.volumes import MountPoint, Volumes


class House:
    """An engine's volumes in a directory of their own."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(f"{root}/data", f"{root}/run")
        self.layout.make()
        self.database = Database(self.layout.database)
        self.events = Bus()
        self.volumes = Volumes(self.layout, self.database, self.events)
        self.image = root / "image"
        self.image.mkdir()
        self.mounted = 0

    @contextmanager
    def content(self) -> Iterator[str]:
        self.mounted += 1
        yield str(self.image)

    def use(
        self, container: str, *binds: str, declared: tuple[str, ...] = (), **host: Any
    ) -> list[MountPoint]:
        config = ContainerConfig(volumes={path: {} for path in declared})
        planned = self.volumes.plan(config, HostConfig(binds=list(binds), **host), {})
        with self.database.transaction():
            return self.volumes.ensure(container, planned)

    def names(self) -> list[str]:
        return [volume["Name"] for volume in self.volumes.list(Filters())]

    def on_disk(self) -> list[str]:
        return sorted(os.listdir(self.layout.volumes))

    def actions(self) -> list[str]:
        return [f"{message.action} {message.actor_id}" for message in self.events.past(None, None)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def run(house: House, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        await scene()
        await asyncio.sleep(0)
        await house.volumes.close()

    asyncio.run(whole())


def test_a_named_volume_is_made_on_demand_and_outlives_its_containers(house: House) -> None:
    async def scene() -> None:
        (point,) = house.use("c1", "data:/d")
        assert point.source == f"{house.layout.volumes}/data/_data"
        assert point.view() == {
            "Type": "volume",
            "Name": "data",
            "Source": point.source,
            "Destination": "/d",
            "Driver": "local",
            "Mode": "z",
            "RW": True,
            "Propagation": "",
        }
        assert stat.S_IMODE(os.stat(point.source).st_mode) == 0o755
        Path(point.source, "kept").touch()
        house.use("c2", "data:/d")
        with pytest.raises(Conflict, match=r"^remove data: volume is in use - \[c1, c2\]$"):
            house.volumes.remove("data")
        house.volumes.release("c1", remove_anonymous=True)
        house.volumes.release("c2", remove_anonymous=True)
        assert house.names() == ["data"]
        house.volumes.remove("data")
        with pytest.raises(NotFound, match=r"^get data: no such volume$"):
            house.volumes.inspect("data")
        house.volumes.remove("data", force=True)

    run(house, scene)
    assert house.on_disk() == []
    assert house.actions() == ["create data", "destroy data"]


def test_an_anonymous_volume_goes_with_its_last_container(house: House) -> None:
    async def scene() -> None:
        points = house.use("c1", declared=("/d",))
        (name,) = house.names()
        planned = house.volumes.plan(ContainerConfig(), HostConfig(volumes_from=["c1"]), {"c1": points})
        house.volumes.ensure("c2", planned)
        house.volumes.release("c1", remove_anonymous=True)
        await asyncio.sleep(0)
        assert house.names() == [name]
        house.volumes.release("c2", remove_anonymous=True)
        await asyncio.sleep(0)
        assert house.names() == []

    run(house, scene)
    assert house.on_disk() == []


def test_an_anonymous_volume_stays_where_its_container_goes_alone_or_it_got_known_by_name(
    house: House,
) -> None:
    async def scene() -> None:
        house.use("c1", declared=("/d",))
        (first,) = house.names()
        house.volumes.release("c1", remove_anonymous=False)
        (point,) = house.use("c2", declared=("/d",))
        house.use("c3", f"{point.name}:/here")
        house.volumes.release("c3", remove_anonymous=True)
        house.volumes.release("c2", remove_anonymous=True)
        await asyncio.sleep(0)
        assert house.names() == sorted([first, point.name])

    run(house, scene)


def test_a_rolled_back_transaction_removes_nothing(house: House) -> None:
    async def scene() -> None:
        (point,) = house.use("c1", declared=("/d",))

        def fail() -> None:
            with house.database.transaction():
                house.volumes.release("c1", remove_anonymous=True)
                raise InterruptedError

        with pytest.raises(InterruptedError):
            fail()
        await asyncio.sleep(0)
        assert os.path.isdir(point.source)
        assert house.names() == [point.name]

    run(house, scene)


def test_what_a_crash_left_is_swept_and_never_adopted(house: House) -> None:
    async def scene() -> None:
        house.use("c1", "data:/d")
        root = house.layout.volumes
        os.makedirs(f"{root}/stale/_data/old")
        os.makedirs(f"{root}/.fill-0/x")
        (point,) = house.use("c1", "stale:/s")
        assert os.listdir(point.source) == []
        os.makedirs(f"{root}/orphan/_data")
        house.volumes.sweep({"c2"}, {"c2"})
        house.volumes.remove("data")

    run(house, scene)
    assert house.on_disk() == ["stale"]


def test_an_empty_volume_gets_what_the_image_has_with_all_its_properties(house: House) -> None:
    content = house.image / "srv"
    content.mkdir()
    (content / "file").write_text("hello")
    os.chown(content / "file", 12, 34)
    os.chmod(content / "file", 0o4750)
    os.utime(content / "file", ns=(1_000_000_001, 2_000_000_002))
    os.setxattr(content / "file", "user.note", b"kept")
    os.link(content / "file", content / "twin")
    (content / "inner").mkdir(mode=0o700)
    os.link(content / "file", content / "inner" / "third")
    os.symlink("/etc/passwd", content / "link")
    os.mkfifo(content / "pipe")
    os.mknod(content / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.chown(content, 56, 78)
    os.chmod(content, 0o1777)

    async def scene() -> None:
        points = house.use("c1", "data:/srv")
        await house.volumes.fill("c1", points, house.content())
        copy = Path(points[0].source)
        status = (copy / "file").stat()
        assert (copy / "file").read_text() == "hello"
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12, 34, 0o4750)
        assert status.st_mtime_ns == 2_000_000_002
        assert os.getxattr(copy / "file", "user.note") == b"kept"
        assert (copy / "twin").stat().st_ino == (copy / "inner" / "third").stat().st_ino == status.st_ino
        assert stat.S_IMODE((copy / "inner").stat().st_mode) == 0o700
        assert os.readlink(copy / "link") == "/etc/passwd"
        assert stat.S_ISFIFO((copy / "pipe").stat().st_mode)
        assert (copy / "null").stat().st_rdev == os.makedev(1, 3)
        assert (copy.stat().st_uid, stat.S_IMODE(copy.stat().st_mode)) == (56, 0o1777)

    run(house, scene)
    assert house.on_disk() == ["data"]


def test_filling_does_not_leave_the_image(house: House, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").touch()
    os.symlink(f"{tmp_path}/secret", house.image / "absolute")
    os.symlink("../../../../../../" + f"{tmp_path}/secret", house.image / "relative")
    (house.image / "real").mkdir()
    (house.image / "real" / "inside").touch()
    os.symlink("/real", house.image / "alias")

    async def scene() -> None:
        points = house.use("c1", "vol-a:/absolute", "vol-b:/relative", "vol-c:/alias", "vol-d:/missing")
        await house.volumes.fill("c1", points, house.content())
        assert {point.name: os.listdir(point.source) for point in points} == {
            "vol-a": [],
            "vol-b": [],
            "vol-c": ["inside"],
            "vol-d": [],
        }

    run(house, scene)


def test_a_volume_that_holds_something_or_wants_no_copy_is_left_alone(house: House) -> None:
    (house.image / "srv").mkdir()
    (house.image / "srv" / "file").touch()

    async def scene() -> None:
        points = house.use("c1", "data:/srv", "plain:/srv2:nocopy")
        Path(points[0].source, "mine").touch()
        await house.volumes.fill("c1", points, house.content())
        assert os.listdir(points[0].source) == ["mine"]
        assert house.mounted == 0

    run(house, scene)


def test_a_volume_others_have_mounted_already_is_filled_in_place(house: House) -> None:
    (house.image / "srv").mkdir(mode=0o711)
    (house.image / "srv" / "file").touch()

    async def scene() -> None:
        house.use("c1", "data:/elsewhere:nocopy")
        points = house.use("c2", "data:/srv")
        inode = os.stat(points[0].source).st_ino
        await asyncio.gather(*(house.volumes.fill("c1", points, house.content()) for _ in range(3)))
        assert os.listdir(points[0].source) == ["file"]
        assert os.stat(points[0].source).st_ino == inode
        assert stat.S_IMODE(os.stat(points[0].source).st_mode) == 0o711

    run(house, scene)


def test_a_volume_over_a_file_is_refused(house: House) -> None:
    (house.image / "file").touch()

    async def scene() -> None:
        points = house.use("c1", declared=("/file",))
        with pytest.raises(
            InvalidParameter, match="cannot mount volume over existing file, file exists /file"
        ):
            await house.volumes.fill("c1", points, house.content())
        assert os.listdir(points[0].source) == []

    run(house, scene)
    assert len(house.on_disk()) == 1


def test_a_missing_source_is_made_for_v_and_an_error_for_mount(house: House, tmp_path: Path) -> None:
    async def scene() -> None:
        points = house.use("c1", f"{tmp_path}/made/deep:/d")
        assert not (tmp_path / "made").exists()
        (mount,) = await house.volumes.mount("c1", points, {})
        assert mount["source"] == f"{tmp_path}/made/deep"
        assert stat.S_IMODE((tmp_path / "made" / "deep").stat().st_mode) == 0o755
        with pytest.raises(InvalidParameter) as caught:
            house.use("c2", mounts=[Mount(type="bind", source=f"{tmp_path}/none", target="/d")])
        assert caught.value.message == (
            f'invalid mount config for type "bind": bind source path does not exist: {tmp_path}/none'
        )

    run(house, scene)


def test_outer_mounts_come_first(house: House, tmp_path: Path) -> None:
    async def scene() -> None:
        points = house.use("c1", f"{tmp_path}:/a/b/c", "data:/a")
        found = await house.volumes.mount("c1", points, {"/a/b": "size=1m"})
        assert [mount["destination"] for mount in found] == ["/a", "/a/b", "/a/b/c"]
        assert [mount["type"] for mount in found] == ["bind", "tmpfs", "bind"]

    run(house, scene)


def test_a_volume_whose_directory_is_gone_does_not_start_empty(house: House) -> None:
    async def scene() -> None:
        points = house.use("c1", "data:/d")
        os.rmdir(points[0].source)
        with pytest.raises(InternalError, match="error while mounting volume"):
            await house.volumes.mount("c1", points, {})

    run(house, scene)


def subpath(path: str) -> Mount:
    return Mount(type="volume", source="data", target="/d", volume_options=VolumeOptions(subpath=path))


def test_a_part_of_a_volume_is_mounted_and_given_back(house: House) -> None:
    async def scene() -> None:
        (point,) = house.use("c1", "data:/d")
        Path(point.source, "part").mkdir()
        Path(point.source, "part", "inside").touch()
        points = house.use("c2", mounts=[subpath("part")])
        (mount,) = await house.volumes.mount("c2", points, {})
        assert os.listdir(mount["source"]) == ["inside"]
        await house.volumes.unmount("c2", points)
        await house.volumes.unmount("c2", points)
        assert not [entry for entry in mounts.table() if entry.target.startswith(house.layout.exec_root)]

    run(house, scene)


def test_a_part_cannot_lead_out_of_its_volume(house: House, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()

    async def scene() -> None:
        (point,) = house.use("c1", "data:/d")
        os.symlink(f"{tmp_path}/secret", f"{point.source}/out")
        points = house.use("c2", mounts=[subpath("out")])
        with pytest.raises(InvalidParameter, match="cannot access path"):
            await house.volumes.mount("c2", points, {})

    run(house, scene)


def test_volumes_by_hand(house: House) -> None:
    async def scene() -> None:
        made = house.volumes.create(VolumeCreateBody(name="data", labels={"tier": "db"}))
        assert made == house.volumes.inspect("data") == house.volumes.create(VolumeCreateBody(name="data"))
        assert {key: made[key] for key in made if key != "CreatedAt"} == {
            "Driver": "local",
            "Labels": {"tier": "db"},
            "Mountpoint": f"{house.layout.volumes}/data/_data",
            "Name": "data",
            "Options": None,
            "Scope": "local",
        }
        nameless = house.volumes.create(VolumeCreateBody())
        assert nameless["Labels"] == {"com.docker.volume.anonymous": ""}
        with pytest.raises(
            NotFound, match=r'^create other: error looking up volume plugin nfs: plugin "nfs" not found$'
        ):
            house.volumes.create(VolumeCreateBody(name="other", driver="nfs"))
        with pytest.raises(InvalidParameter, match=r'^create other: missing required option: "device"$'):
            house.volumes.create(VolumeCreateBody(name="other", driver_opts={"type": "tmpfs"}))
        house.use("c1", "data:/d")

        def names(**filters: list[str]) -> list[str]:
            return [volume["Name"] for volume in house.volumes.list(Filters(filters))]

        assert names(dangling=["true"]) == [nameless["Name"]]
        assert names(dangling=["false"]) == ["data"]
        assert names(label=["tier=db"]) == ["data"]
        assert names(name=["at"], driver=["local"]) == ["data"]

    run(house, scene)


def test_prune_takes_unused_nameless_volumes_and_all_where_asked(house: House) -> None:
    async def scene() -> None:
        nameless = house.volumes.create(VolumeCreateBody())
        Path(nameless["Mountpoint"], "ten").write_bytes(b"0123456789")
        house.volumes.create(VolumeCreateBody(name="named"))
        house.volumes.create(VolumeCreateBody(name="spared", labels={"keep": "yes"}))
        house.use("c1", "used:/d")
        assert await house.volumes.prune(Filters()) == {
            "VolumesDeleted": [nameless["Name"]],
            "SpaceReclaimed": 10,
        }
        both = Filters({"all": ["true"], "label!": ["keep"]})
        assert (await house.volumes.prune(both))["VolumesDeleted"] == ["named"]
        assert house.names() == ["spared", "used"]

    run(house, scene)


def build_deep(path: Path, levels: int) -> None:
    """Directories deeper than a path may be long, with a file of 1000 bytes in every hundredth."""
    place = os.open(path, os.O_RDONLY)
    for level in range(levels):
        if level % 100 == 0:
            with open("file", "xb", opener=partial(os.open, mode=0o640, dir_fd=place)) as file:
                file.write(bytes(1000))
        os.mkdir("directory", 0o700, dir_fd=place)
        inner = os.open("directory", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.mkdir("last", 0o751, dir_fd=place)
    os.close(place)


def test_no_depth_keeps_a_volume_from_being_filled_measured_and_removed(house: House) -> None:
    async def scene() -> None:
        (house.image / "deep").mkdir(mode=0o711)
        build_deep(house.image / "deep", 1300)
        os.link(house.image / "deep/file", house.image / "deep/twin")
        (point,) = house.use("c1", "data:/deep")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        try:
            await house.volumes.fill("c1", [point], house.content())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        copy = Path(point.source)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o711
        assert (copy / "file").samefile(copy / "twin")
        assert stat.S_IMODE((copy / ("directory/" * 100) / "file").stat().st_mode) == 0o640
        with house.database.transaction():
            house.volumes.release("c1", remove_anonymous=True)
        pruned = await house.volumes.prune(Filters({"all": ["true"]}))
        assert pruned == {"VolumesDeleted": ["data"], "SpaceReclaimed": 13 * 1000}

    run(house, scene)
    assert house.on_disk() == []
    trees.remove_tree(str(house.image))
