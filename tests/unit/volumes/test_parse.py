"""What docker's words for mounts mean, and the words with which bad ones are refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.errors import InvalidParameter
from lading.schema.container import Mount
from lading.volumes import MountPoint
from lading.volumes.parse import parse_bind, parse_mount, plan


def view(point: MountPoint) -> dict[str, Any]:
    shown = point.view()
    return {key: shown[key] for key in shown if shown[key] != ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "/src:/dst",
            {"Type": "bind", "Source": "/src", "Destination": "/dst", "RW": True, "Propagation": "rprivate"},
        ),
        (
            "/src/./x//:/dst/:ro,rslave,z",
            {
                "Type": "bind",
                "Source": "/src/x",
                "Destination": "/dst",
                "Mode": "ro,rslave,z",
                "RW": False,
                "Propagation": "rslave",
            },
        ),
        ("data:/dst", {"Type": "volume", "Name": "data", "Destination": "/dst", "Mode": "z", "RW": True}),
        (
            "data:/dst:ro,nocopy",
            {"Type": "volume", "Name": "data", "Destination": "/dst", "Mode": "ro,nocopy", "RW": False},
        ),
        ("/dst", {"Type": "volume", "Destination": "/dst", "Mode": "z", "RW": True}),
    ],
)
def test_binds(text: str, expected: dict[str, Any]) -> None:
    assert view(parse_bind(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid volume specification: ''"),
        (":/dst", "invalid volume specification: ':/dst'"),
        ("/a:/b:ro:z", "invalid volume specification: '/a:/b:ro:z'"),
        ("/dst:ro", "invalid volume specification: '/dst:ro'"),
        ("/a:/b:rx", "invalid mode: rx"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"),
        (
            "/a:b",
            "invalid volume specification: '/a:b': invalid mount config for type \"bind\": "
            "invalid mount path: 'b' mount path must be absolute",
        ),
        (
            "data:/x/..",
            "invalid volume specification: 'data:/x/..': invalid mount config for type \"volume\": "
            "invalid specification: destination can't be '/'",
        ),
        (
            "./here:/dst",
            'create ./here: "./here" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. '
            "If you intended to pass a host directory, use absolute path",
        ),
        (
            "a:/dst",
            "create a: volume name is too short, names should be at least two alphanumeric characters",
        ),
    ],
)
def test_bad_binds(text: str, words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_bind(text)
    assert caught.value.message == words


def mount(**fields: Any) -> Mount:
    return msgspec.convert(fields, Mount)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"Type": "bind", "Source": "/a"}, 'type "bind": field Target must not be empty'),
        ({"Type": "bind", "Target": "/b"}, 'type "bind": field Source must not be empty'),
        (
            {"Type": "bind", "Source": "a", "Target": "/b"},
            "invalid mount path: 'a' mount path must be absolute",
        ),
        (
            {"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"Propagation": "wide"}},
            "invalid propagation mode: wide",
        ),
        (
            {"Type": "bind", "Source": "/a", "Target": "/b", "VolumeOptions": {"NoCopy": True}},
            "field VolumeOptions must not be specified",
        ),
        (
            {"Type": "volume", "Target": "/b", "ReadOnly": True},
            "must not set ReadOnly mode when using anonymous",
        ),
        (
            {"Type": "volume", "Source": "data", "Target": "/b", "VolumeOptions": {"Subpath": "../x"}},
            "subpath must be a relative path within the volume",
        ),
        ({"Type": "tmpfs", "Source": "/a", "Target": "/b"}, "field Source must not be specified"),
        ({"Type": "magic", "Target": "/b"}, 'type "magic": mount type unknown'),
        ({"Type": "tmpfs", "Target": "/b", "TmpfsOptions": {"Options": [["suid"]]}}, "invalid option: suid"),
    ],
)
def test_bad_mounts(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_mount(mount(**asked))
    assert words in caught.value.message
    assert caught.value.message.startswith("invalid mount config for type")


def test_an_image_is_mounted_read_only_or_in_part() -> None:
    point = parse_mount(mount(Type="image", Source="busybox", Target="/b", ImageOptions={"Subpath": "a/b"}))
    assert (point.type, point.name, point.destination) == ("image", "busybox", "/b")
    assert (point.rw, point.subpath) == (False, "a/b")
    with pytest.raises(InvalidParameter, match="field BindOptions must not be specified"):
        parse_mount(mount(Type="image", Source="busybox", Target="/b", BindOptions={"NonRecursive": True}))


def points(**asked: Any) -> dict[str, MountPoint]:
    arguments: dict[str, Any] = {
        "binds": [],
        "mounts": [],
        "tmpfs_mounts": {},
        "declared": [],
        "volumes_from": [],
        "others": {},
    }
    return {point.destination: point for point in plan(**(arguments | asked))}


def test_a_declared_volume_gives_way_to_every_other_mount() -> None:
    found = points(
        binds=["/src:/a"],
        mounts=[mount(Type="tmpfs", Target="/b")],
        tmpfs_mounts={"/c/": "size=1m"},
        declared=["/a/", "/b", "/c", "/d"],
    )
    assert {destination: point.type for destination, point in found.items()} == {
        "/a": "bind",
        "/b": "tmpfs",
        "/d": "volume",
    }
    assert found["/d"].anonymous


@pytest.mark.parametrize(
    "asked",
    [
        {"binds": ["/x:/a", "/y:/a/"]},
        {"binds": ["/x:/a"], "mounts": [mount(Type="tmpfs", Target="/a")]},
        {"binds": ["/x:/a"], "tmpfs_mounts": {"/a": ""}},
    ],
)
def test_two_mounts_at_one_place(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter, match=r"^Duplicate mount point: /a$"):
        points(**asked)


def test_mounts_of_other_containers_come_along_but_ones_own_win() -> None:
    other = list(points(binds=["/x:/a", "data:/b:nocopy"], declared=["/c"]).values())
    found = points(volumes_from=["one:ro"], others={"one": other}, binds=["/mine:/a"])
    assert (found["/a"].source, found["/a"].rw) == ("/mine", True)
    assert (found["/b"].name, found["/b"].rw) == ("data", False)
    assert found["/c"].anonymous
    assert not found["/c"].copy


@pytest.mark.parametrize("entry", ["one:rshared", "one:nocopy", "one:later"])
def test_modes_that_volumes_from_does_not_take(entry: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid mode: "):
        points(volumes_from=[entry], others={"one": []})


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        point = parse_bind(text)
    except InvalidParameter:
        return
    assert point.destination.startswith("/")
    assert ".." not in point.destination.split("/")
    assert point.type == "volume" or point.source.startswith("/")


def test_a_mount_point_survives_the_database() -> None:
    for point in points(binds=["/x:/a:ro", "data:/b"], mounts=[mount(Type="tmpfs", Target="/t")]).values():
        assert msgspec.json.decode(msgspec.json.encode(point), type=MountPoint) == point
