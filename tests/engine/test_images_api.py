"""Lists, inspection and history of images: every parameter, every version, as dockerd's."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.engine.answer_shapes import faults
from tests.engine.engine import IMAGE, Engine, since_cli
from tests.images.rooms import saved, tree

SHARED = tree({"etc/shared": "s" * 1000})
ONE, TWO = tree({"one": "1" * 500}), tree({"two": "2" * 300})
HISTORY = [
    {"created": "2020-01-01T00:00:00Z", "created_by": "first", "comment": "a comment"},
    {"created": "2020-01-01T00:00:01Z", "created_by": "ENV A=B", "empty_layer": True},
    {"created": "2020-01-01T00:00:02Z", "created_by": "second"},
]
ARM = {"os": "linux", "architecture": "arm64"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with images of some ages, one of them nameless, and a container."""
    engine = Engine(tmp_path_factory.mktemp("furnished"))
    engine.start()
    config = {"Cmd": ["sh"], "Labels": {"kind": "old", "empty": ""}}
    old = {"created": "2020-01-01T00:00:03.500000000Z", "author": "somebody", "docker_version": "20.10.1"}
    built = {"container": "c" * 64, "container_config": {"Hostname": "builder", "Cmd": ["#(nop)"]}}
    archives = [
        saved("example.com:5000/team/old:1", [SHARED, ONE], config=config, history=HISTORY, **old, **built),
        saved("middle", [SHARED, TWO], created="2021-01-01T00:00:00Z", variant="v2", architecture="amd64"),
        saved(None, [TWO], created="2022-01-01T00:00:00Z"),
        saved("arm", [TWO], created="2019-01-01T00:00:00Z", architecture="arm64", variant="v8"),
        saved("timeless", [TWO], created=None, os="", author="nobody"),
    ]
    for archive in archives:
        engine.docker("load", input=archive)
    engine.docker("tag", "middle", "middle:again")
    engine.docker("create", "--name", "box", "middle", "x")
    engine.docker("create", "--name", "other", "middle", "x")
    yield engine
    engine.destroy()


def names(engine: Engine, prefix: str = "", **parameters: Any) -> list[str]:
    """The first tags of what is listed."""
    filters = parameters.pop("filters", None)
    query = "&".join(f"{key.replace('_', '-')}={value}" for key, value in parameters.items())
    if filters is not None:
        query += f"&filters={quote(json.dumps(filters))}"
    listed = engine.get(f"{prefix}/images/json?{query}")
    return [(image["RepoTags"] or ["-"])[0] for image in listed]


OLD, MIDDLE, STARTER = "example.com:5000/team/old:1", "middle:again", f"{IMAGE}:latest"


def test_newest_first(furnished: Engine) -> None:
    assert names(furnished) == [STARTER, "-", MIDDLE, OLD, "arm:latest", "timeless:latest"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"dangling": ["true"]}, ["-"]),
        ({"dangling": {"false": True}}, [STARTER, MIDDLE, OLD, "arm:latest", "timeless:latest"]),
        ({"label": ["kind"]}, [OLD]),
        ({"label": ["kind=old", "empty="]}, [OLD]),
        ({"label": ["kind=new"]}, []),
        ({"before": ["middle"]}, [OLD, "arm:latest"]),
        ({"since": [OLD]}, [STARTER, "-", MIDDLE]),
        ({"before": ["middle"], "since": ["arm"]}, [OLD]),
        ({"until": ["2021-06-01"]}, [MIDDLE, OLD, "arm:latest"]),
        ({"until": ["1609459200"]}, [OLD, "arm:latest"]),
        ({"reference": ["middle"]}, [MIDDLE]),
        ({"reference": ["middle:l*", "a?m"]}, ["middle:latest", "arm:latest"]),
        ({"reference": ["example.com:5000/*/old"]}, [OLD]),
        ({"reference": ["*"]}, [MIDDLE, "arm:latest", "timeless:latest"]),
    ],
)
def test_filters(furnished: Engine, filters: Any, expected: list[str]) -> None:
    assert names(furnished, filters=filters) == expected


@pytest.mark.parametrize(
    ("filters", "status"),
    [
        ({"nonsense": ["x"]}, 400),
        ({"dangling": ["perhaps"]}, 400),
        ({"before": ["nowhere"]}, 404),
        ({"until": ["x"]}, 400),
        ({"reference": ["["]}, 400),
    ],
)
def test_wrong_filters(furnished: Engine, filters: Any, status: int) -> None:
    assert furnished.api("GET", f"/images/json?filters={quote(json.dumps(filters))}")[0] == status


def test_members_by_version(furnished: Engine) -> None:
    def listed(version: str, parameters: str = "") -> dict[str, Any]:
        images = furnished.get(f"/v{version}/images/json?{parameters}")
        return {(image["RepoTags"] or ["-"])[0]: image for image in images}

    assert [problem for image in listed("1.51").values() for problem in faults("ImageSummary", image)] == []
    assert [listed(version)[MIDDLE]["Containers"] for version in ("1.50", "1.51")] == [-1, 2]
    assert listed("1.51")[OLD]["Containers"] == 0
    assert listed("1.51")[MIDDLE]["SharedSize"] == -1
    shared = [listed(version, "shared-size=1")[OLD]["SharedSize"] for version in ("1.41", "1.42")]
    assert shared == [-1, 1000]
    assert listed("1.51", "shared-size=1")[STARTER]["SharedSize"] == 0
    assert [listed(version)[OLD].get("VirtualSize") for version in ("1.43", "1.44")] == [1500, None]
    assert listed("1.42")["<none>:<none>"]["RepoDigests"] == ["<none>@<none>"]
    assert (listed("1.43")["-"]["RepoTags"], listed("1.43")["-"]["RepoDigests"]) == ([], [])
    image = listed("1.51", "manifests=1&digests=1")[OLD]
    assert "Manifests" not in image
    assert "Descriptor" not in image
    assert (image["Created"], image["Labels"]) == (1577836803, {"kind": "old", "empty": ""})
    assert names(furnished, "/v1.40", filter="arm") == ["arm:latest"]
    assert len(names(furnished, "/v1.41", filter="arm")) == 6


def test_intermediate_images(furnished: Engine) -> None:
    parent = next(image["Id"] for image in furnished.get("/images/json") if not image["RepoTags"])
    made = furnished.py.containers.create(parent, "x")
    child = made.commit("child", "1", message="on top", author="me")
    made.remove()
    try:
        assert "-" not in names(furnished)
        assert names(furnished, all=1).count("-") == 1
        assert names(furnished, filters={"dangling": ["true"]}) == []
        shown = furnished.get("/images/child:1/json")
        assert (shown["Parent"], shown["Comment"], shown["Author"]) == (parent, "on top", "me")
        assert shown["Metadata"]["LastTagTime"][:2] == "20"
        # Changes that made an image here have its ID.
        assert [entry["Id"] for entry in furnished.get("/images/child:1/history")] == [child.id, parent]
    finally:
        furnished.docker("rmi", "--no-prune", "child:1")


def test_inspection(furnished: Engine) -> None:
    shown = furnished.get(f"/images/{OLD}/json")
    assert list(faults("Image", shown)) == []
    assert shown["RepoTags"] == [OLD]
    assert (shown["Created"], shown["Author"], shown["DockerVersion"]) == (
        "2020-01-01T00:00:03.5Z",
        "somebody",
        "20.10.1",
    )
    assert shown["Config"] == {
        "User": "",
        "Env": None,
        "Cmd": ["sh"],
        "Volumes": None,
        "WorkingDir": "",
        "Entrypoint": None,
        "OnBuild": None,
        "Labels": {"kind": "old", "empty": ""},
    }
    assert (shown["Os"], shown["Architecture"], shown["Size"]) == ("linux", "amd64", 1500)
    assert len(shown["RootFS"]["Layers"]) == 2
    assert not {"VirtualSize", "Container", "ContainerConfig", "Descriptor", "Manifests"} & set(shown)
    assert furnished.get("/images/middle/json")["Variant"] == "v2"


def test_inspection_by_version(furnished: Engine) -> None:
    older = furnished.get(f"/v1.44/images/{OLD}/json")
    assert (older["Container"], older["ContainerConfig"]["Hostname"]) == ("c" * 64, "builder")
    assert furnished.get("/v1.44/images/middle/json")["Container"] == ""
    assert furnished.get(f"/v1.43/images/{OLD}/json")["VirtualSize"] == 1500
    assert "Container" not in furnished.get(f"/v1.45/images/{OLD}/json")
    assert furnished.get(f"/v1.49/images/{OLD}/json")["Config"]["Hostname"] == ""
    assert "Hostname" not in furnished.get(f"/v1.50/images/{OLD}/json")["Config"]
    timeless = [furnished.get(f"/{version}/images/timeless/json") for version in ("v1.43", "v1.44")]
    assert [shown.get("Created") for shown in timeless] == ["0001-01-01T00:00:00Z", None]
    assert timeless[0]["Os"] == "linux"


@since_cli(28)
def test_platforms(furnished: Engine) -> None:
    def asked(path: str, platform: Any, version: str = "v1.51") -> tuple[int, Any]:
        text = platform if isinstance(platform, str) else json.dumps(platform)
        return furnished.api("GET", f"/{version}/images/{path}platform={quote(text)}")

    for what in ("json", "history"):
        assert asked(f"arm/{what}?", ARM)[0] == 200
        status, answer = asked(f"middle/{what}?", ARM)
        assert (status, answer["message"]) == (
            404,
            "image with reference middle was found but does not match the specified platform: "
            "wanted linux/arm64, actual: linux/amd64/v2",
        )
        assert asked(f"middle/{what}?", "{")[0] == 400
        assert asked(f"middle/{what}?", {"os": "linux"})[0] == 400
        # Versions before 1.48 and 1.49 do not know the parameter.
        assert asked(f"middle/{what}?", ARM, "v1.47")[0] == 200
    assert asked("arm/json?manifests=1&", ARM) == (
        400,
        {"message": "conflicting options: manifests and platform options cannot both be set"},
    )
    refused = furnished.docker("image", "inspect", "--platform", "linux/arm64", "middle", check=False)
    assert b"does not match the specified platform" in refused.stderr


def test_history(furnished: Engine) -> None:
    entries = furnished.get(f"/images/{OLD}/history")
    assert [problem for entry in entries for problem in faults("History", entry)] == []
    assert [(entry["CreatedBy"], entry["Size"], entry["Comment"]) for entry in entries] == [
        ("second", 500, ""),
        ("ENV A=B", 0, ""),
        ("first", 1000, "a comment"),
    ]
    assert [entry["Id"] == "<missing>" for entry in entries] == [False, True, True]
    assert (entries[0]["Tags"], entries[1]["Tags"], entries[2]["Created"]) == ([OLD], None, 1577836800)
    assert furnished.api("GET", "/images/nowhere/history")[0] == 404


@since_cli(28)
def test_the_docker_command(furnished: Engine) -> None:
    lines = furnished.docker("images", "--digests", "--no-trunc").stdout.decode().splitlines()
    assert lines[0].split()[:4] == ["REPOSITORY", "TAG", "DIGEST", "IMAGE"]
    assert len(lines) == 8
    assert any(line.split()[:3] == ["<none>", "<none>", "<none>"] for line in lines)
    assert b"middle:again" in furnished.docker("images", "--tree").stdout
    shown = furnished.docker("image", "ls", "--filter", "reference=middle", "--format", "{{.Tag}}").stdout
    assert shown.split() == [b"again", b"latest"]
    image = furnished.py.images.get("middle")
    assert sorted(image.tags) == ["middle:again", "middle:latest"]
    assert image.history()[0]["Size"] == 300
    assert len(furnished.py.images.list(name="middle")) == 1
