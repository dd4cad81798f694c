"""Import, list, inspect, history, tag and remove answer as docker does."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest

from lading.errors import Conflict, InvalidParameter, NotFound
from lading.filters import Filters
from lading.ids import short_id
from lading.images import STARTER, ImageUser

from .rooms import Rooms, digest_of, saved, streamed, tree

ONE = tree({"etc/one": "1"})
TWO = tree({"etc/two": "22"})
CONTAINER = "c0ffee" + "0" * 58


def names(rooms: Rooms, **filters: str) -> list[str]:
    wanted = Filters({key: [value] for key, value in filters.items()})
    return [name for shown in rooms.images.list(wanted) for name in shown["RepoTags"] or ["<none>"]]


async def test_import(rooms: Rooms) -> None:
    image_id = await rooms.images.import_(
        streamed(gzip.compress(ONE)), "mine", "v1", ["CMD top", "ENV A=1", "EXPOSE 80"], "a message"
    )
    image = rooms.images.resolve("mine:v1")
    assert image.id == image_id
    assert image.config.cmd == ["/bin/sh", "-c", "top"]
    shown = rooms.images.inspect("mine:v1")
    assert shown["Comment"] == "a message"
    assert shown["RootFS"] == {"Type": "layers", "Layers": [digest_of(ONE)]}
    assert shown["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert (shown["Os"], shown["Architecture"]) == ("linux", "amd64")
    assert shown["Metadata"]["LastTagTime"].startswith("20")
    assert [event[1] for event in rooms.events] == ["tag", "import"]
    assert rooms.events[0][3]["name"] == "mine:v1"
    await rooms.cleared()
    rooms.check()


@pytest.mark.parametrize(
    ("data", "repository", "changes", "platform", "message"),
    [
        (ONE[:300], "", [], "", "unexpected EOF"),
        (ONE, "UPPER", [], "", "must be lowercase"),
        (ONE, "", ["RUN x"], "", "RUN is not a valid change command"),
        (ONE, "", [], "windows/amd64", "operating system is not supported: windows"),
        (ONE, f"a@sha256:{'0' * 64}", [], "", "cannot import digest reference"),
    ],
)
async def test_a_bad_import_leaves_nothing(
    rooms: Rooms, data: bytes, repository: str, changes: list[str], platform: str, message: str
) -> None:
    with pytest.raises(InvalidParameter, match=message):
        await rooms.images.import_(streamed(data), repository, "", changes, "", platform)
    await rooms.cleared()
    assert rooms.files() == []


async def test_found_by_every_name_it_has(rooms: Rooms) -> None:
    await rooms.load(saved("busybox:1", [ONE]))
    image_id = rooms.images.resolve("busybox:1").id
    for name in (
        image_id,
        image_id[7:],
        image_id[7:19],
        image_id[:20],
        "library/busybox:1",
        "docker.io/library/busybox:1",
        "index.docker.io/busybox:1",
    ):
        assert rooms.images.resolve(name).id == image_id


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "No such image: none:latest"),
        ("docker.io/library/none:1", "No such image: none:1"),
        ("example.com/none", "No such image: example.com/none:latest"),
        ("abcdef", "No such image: abcdef:latest"),
        ("f" * 64, f"No such image: sha256:{'f' * 64}"),
        (f"sha256:{'f' * 64}", f"No such image: sha256:{'f' * 64}"),
    ],
)
async def test_not_found(rooms: Rooms, name: str, message: str) -> None:
    with pytest.raises(NotFound) as caught:
        rooms.images.resolve(name)
    assert caught.value.message == message


async def test_an_ambiguous_beginning_finds_nothing(rooms: Rooms) -> None:
    beginnings: dict[str, int] = {}
    for number in range(17):
        await rooms.load(saved(None, [ONE], comment=str(number)))
    for shown in rooms.images.list():
        beginnings[shown["Id"][7]] = beginnings.get(shown["Id"][7], 0) + 1
    ambiguous = next(digit for digit, count in beginnings.items() if count > 1)
    with pytest.raises(NotFound):
        rooms.images.resolve(ambiguous)


async def test_list_and_its_filters(rooms: Rooms) -> None:
    days = {
        "old:1": "2020-01-01T00:00:00Z",
        "mid:1": "2022-01-01T00:00:00Z",
        "team/new:2": "2024-01-01T00:00:00.5Z",
    }
    for name, created in days.items():
        await rooms.load(saved(name, [ONE], created=created, config={"Labels": {"name": name, "all": ""}}))
    await rooms.load(saved(None, [TWO], created="2021-01-01T00:00:00Z", config=None))
    assert names(rooms) == ["team/new:2", "mid:1", "<none>", "old:1"]
    assert names(rooms, dangling="true") == ["<none>"]
    assert names(rooms, dangling="false") == ["team/new:2", "mid:1", "old:1"]
    assert names(rooms, reference="*:1") == ["mid:1", "old:1"]
    assert names(rooms, reference="team/*") == ["team/new:2"]
    assert names(rooms, label="name=mid:1") == ["mid:1"]
    assert names(rooms, label="all") == ["team/new:2", "mid:1", "old:1"]
    assert names(rooms, before="mid:1") == ["<none>", "old:1"]
    assert names(rooms, since="old:1") == ["team/new:2", "mid:1", "<none>"]
    assert names(rooms, until="2021-06-01T00:00:00Z") == ["<none>", "old:1"]
    with pytest.raises(NotFound):
        names(rooms, before="unknown")
    with pytest.raises(InvalidParameter):
        names(rooms, dangling="perhaps")


async def test_an_entry_of_the_list(rooms: Rooms) -> None:
    await rooms.load(saved("a:1", [ONE, TWO], created="2020-01-01T00:00:00Z", config={"Labels": {"k": "v"}}))
    image_id = rooms.images.resolve("a:1").id
    assert rooms.images.list() == [
        {
            "Containers": -1,
            "Created": 1577836800,
            "Id": image_id,
            "Labels": {"k": "v"},
            "ParentId": "",
            "RepoDigests": [],
            "RepoTags": ["a:1"],
            "SharedSize": -1,
            "Size": 3,
        }
    ]
    (old,) = rooms.images.list(version=(1, 41))
    assert old["VirtualSize"] == 3
    rooms.images.remove("a:1", users=[], force=True)
    await rooms.load(saved(None, [ONE]))
    (nameless,) = rooms.images.list(version=(1, 41))
    assert (nameless["RepoTags"], nameless["RepoDigests"]) == (["<none>:<none>"], ["<none>@<none>"])


async def test_inspect_by_version(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE], variant="v8", author="me", docker_version="1.2"))
    now, old = rooms.images.inspect("a"), rooms.images.inspect("a", (1, 43))
    assert {key: value for key, value in now["Config"].items() if value} == {"Cmd": ["sh"]}
    assert {"User", "Env", "Volumes", "WorkingDir", "Entrypoint", "OnBuild", "Labels"} <= set(now["Config"])
    assert {"Hostname", "Image", "Tty"} <= set(old["Config"])
    assert (old["VirtualSize"], old["Container"]) == (1, "")
    assert (now["Variant"], now["Author"], now["DockerVersion"]) == ("v8", "me", "1.2")
    assert now["Created"] == "2024-01-02T03:04:05.000000006Z"
    assert now["GraphDriver"]["Name"] == "overlay2"
    assert Path(now["GraphDriver"]["Data"]["UpperDir"], "etc/one").exists()
    assert "VirtualSize" not in now


async def test_history(rooms: Rooms) -> None:
    steps = [
        {"created": "2020-01-01T00:00:00Z", "created_by": "one"},
        {"created_by": "ENV A=1", "empty_layer": True},
        {"created_by": "two", "comment": "last"},
    ]
    await rooms.load(saved("a", [ONE, TWO], history=steps))
    shown = rooms.images.history("a")
    assert [entry["CreatedBy"] for entry in shown] == ["two", "ENV A=1", "one"]
    assert [entry["Size"] for entry in shown] == [2, 0, 1]
    assert [entry["Id"] for entry in shown] == [rooms.images.resolve("a").id, "<missing>", "<missing>"]
    assert shown[0]["Tags"] == ["a:latest"]
    assert shown[2]["Created"] == 1577836800


async def test_tag(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    rooms.images.tag("a", "example.com/team/b", "v1")
    rooms.images.tag("example.com/team/b:v1", "c")
    assert rooms.images.list()[0]["RepoTags"] == ["a:latest", "c:latest", "example.com/team/b:v1"]
    assert rooms.events[-1][1:] == ("tag", rooms.images.resolve("a").id, {"name": "c:latest"})
    for repository, tag in (("A", ""), ("a", "-x"), ("a b", ""), (f"a@sha256:{'0' * 64}", "")):
        with pytest.raises(InvalidParameter):
            rooms.images.tag("a", repository, tag)
    with pytest.raises(NotFound):
        rooms.images.tag("unknown", "b")


async def test_removing_the_only_name_removes_the_image(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    image = rooms.images.resolve("a")
    answer = rooms.images.remove("a")
    assert answer[0] == {"Untagged": "a:latest"}
    assert answer[1] == {"Deleted": image.id}
    assert answer[2:] == [{"Deleted": image.chain_id}, {"Deleted": digest_of(ONE)}]
    assert [event[1] for event in rooms.events] == ["load", "untag", "delete"]
    await rooms.cleared()
    assert rooms.files() == []


async def test_removing_one_of_several_names(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    image_id = rooms.images.resolve("a").id
    rooms.images.tag("a", "b")
    assert rooms.images.remove("a", users=[ImageUser(CONTAINER, image_id, True)]) == [
        {"Untagged": "a:latest"}
    ]
    with pytest.raises(NotFound, match="No such image: a:latest"):
        rooms.images.remove("a")
    assert rooms.images.remove(image_id[7:19])[0] == {"Untagged": "b:latest"}


async def test_layers_another_image_needs_stay(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    await rooms.load(saved("b", [ONE, TWO]))
    answer = rooms.images.remove("a")
    assert [list(entry) for entry in answer] == [["Untagged"], ["Deleted"]]
    await rooms.cleared()
    rooms.check()


async def test_an_id_with_several_names_must_be_forced(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    rooms.images.tag("a", "b")
    image_id = rooms.images.resolve("a").id
    with pytest.raises(Conflict) as caught:
        rooms.images.remove(image_id)
    assert caught.value.message == (
        f"conflict: unable to delete {short_id(image_id)} (must be forced) - "
        "image is referenced in multiple repositories"
    )
    answer = rooms.images.remove(image_id, force=True)
    assert answer[:3] == [{"Untagged": "a:latest"}, {"Untagged": "b:latest"}, {"Deleted": image_id}]


async def test_an_image_in_use(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    image = rooms.images.resolve("a")
    short, stopped = short_id(image.id), [ImageUser(CONTAINER, image.id, False)]
    running = [ImageUser(CONTAINER, image.id, True)]
    rooms.snapshots.prepare(CONTAINER, image.chain_id)
    with pytest.raises(Conflict) as caught:
        rooms.images.remove("a", users=stopped)
    assert caught.value.message == (
        'conflict: unable to remove repository reference "a" (must force) - '
        f"container {CONTAINER[:12]} is using its referenced image {short}"
    )
    for users, force, how, state in (
        (stopped, False, "must be forced", "stopped"),
        (running, False, "cannot be forced", "running"),
        (running, True, "cannot be forced", "running"),
    ):
        with pytest.raises(Conflict) as caught:
            rooms.images.remove(image.id, force=force, users=users)
        assert caught.value.message == (
            f"conflict: unable to delete {short} ({how}) - "
            f"image is being used by {state} container {CONTAINER[:12]}"
        )
    assert rooms.images.remove("a", force=True, users=running) == [{"Untagged": "a:latest"}]
    assert rooms.images.resolve(image.id).id == image.id
    assert rooms.images.remove(image.id, force=True, users=stopped) == [{"Deleted": image.id}]
    # The container still stands on the layers; they go with it.
    assert os.path.isdir(rooms.snapshots.directories(image.chain_id)[0])
    rooms.snapshots.remove(CONTAINER)
    rooms.images.clear()
    await rooms.cleared()
    assert rooms.files() == []


async def test_images_from_before_a_power_cut_are_dropped(rooms: Rooms) -> None:
    await rooms.load(saved("kept", [ONE]))
    await rooms.settled()
    await rooms.load(saved("lost", [ONE, TWO]))
    with rooms.database.transaction() as transaction:
        transaction.execute("UPDATE images SET unsettled = 'another boot' WHERE unsettled != ''")
        transaction.execute(
            "UPDATE images SET unsettled = 'another boot' WHERE id = ?", (rooms.images.resolve("lost").id,)
        )
    again = Rooms(rooms.root)
    assert names(again) == ["kept:latest"]
    await again.cleared()
    again.check()
    await again.close()


async def test_a_configuration_that_cannot_be_read_does_not_stop_the_daemon(rooms: Rooms) -> None:
    await rooms.load(saved("whole", [ONE]))
    await rooms.load(saved("broken", [TWO]))
    Path(rooms.content.path(rooms.images.resolve("broken").id)).write_bytes(b"{")
    again = Rooms(rooms.root)
    assert names(again) == ["whole:latest"]
    await again.close()


async def test_the_starter_image(rooms: Rooms, tmp_path: Path) -> None:
    image = await rooms.images.ensure_starter()
    assert (await rooms.images.ensure_starter()).id == image.id
    assert rooms.images.resolve("lading/starter").id == image.id
    assert rooms.images.list()[0]["RepoTags"] == [STARTER]
    other = Rooms(tmp_path / "other")
    assert (await other.images.ensure_starter()).id == image.id
    await other.close()
    root = tmp_path / "root"
    root.mkdir()
    rooms.snapshots.prepare("key", image.chain_id)
    rooms.snapshots.mount("key", str(root))
    try:
        said = subprocess.run(
            [
                "chroot",
                root,
                "/bin/sh",
                "-c",
                "id -un; stat -c %a /tmp /root; env | grep -c . ; ls /bin | grep -cx ls",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        rooms.snapshots.unmount(str(root))
    assert said.stdout.split()[:3] == ["root", "1777", "700"]
    rooms.snapshots.remove("key")
    assert json.loads(rooms.content.read(image.id))["config"]["Cmd"] == ["sh"]
    await rooms.cleared()
    rooms.check()
