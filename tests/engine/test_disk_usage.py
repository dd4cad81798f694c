"""What `docker system df` counts is what lies on the disk."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.answer_shapes import faults
from tests.engine.engine import IMAGE, Engine, since_cli
from tests.images.rooms import saved, tree

SHARED = tree({"etc/shared": "s" * 1000})
ONE, TWO = tree({"one": "1" * 500}), tree({"two": "2" * 300})


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An engine with images that share a layer, containers that wrote, and volumes."""
    engine = Engine(tmp_path_factory.mktemp("furnished"))
    engine.start()
    for name, layers in (("one:1", [SHARED, ONE]), ("two:1", [SHARED, TWO])):
        engine.docker("load", input=saved(name, layers))
    script = "head -c 5000 /dev/zero > /data/file; head -c 3000 /dev/zero > /written; ln /written /again"
    engine.docker("run", "--name", "wrote", "-v", "data:/data", IMAGE, "sh", "-c", script)
    engine.docker("create", "--name", "empty", "-v", "data:/data", "one:1", "x")
    engine.docker("volume", "create", "unused")
    yield engine
    engine.destroy()


def test_images_count_shared_layers_once(furnished: Engine) -> None:
    usage = furnished.get("/system/df")
    images = {image["RepoTags"][0]: image for image in usage["Images"]}
    starter = images[f"{IMAGE}:latest"]
    assert usage["LayersSize"] == starter["Size"] + 1000 + 500 + 300
    shown = {
        name: [image[key] for key in ("Size", "SharedSize", "Containers")] for name, image in images.items()
    }
    assert shown == {
        "one:1": [1500, 1000, 1],
        "two:1": [1300, 1000, 0],
        f"{IMAGE}:latest": [starter["Size"], 0, 1],
    }


def test_containers_and_volumes(furnished: Engine) -> None:
    usage = furnished.get("/system/df")
    containers = {container["Names"][0]: container for container in usage["Containers"]}
    assert containers["/wrote"]["SizeRw"] == 3000
    assert containers["/empty"].get("SizeRw", 0) == 0
    assert containers["/empty"]["SizeRootFs"] == 1500
    volumes = {volume["Name"]: volume["UsageData"] for volume in usage["Volumes"]}
    assert volumes == {"data": {"Size": 5000, "RefCount": 2}, "unused": {"Size": 0, "RefCount": 0}}


def test_shapes(furnished: Engine) -> None:
    usage = furnished.get("/system/df")
    assert list(faults("DiskUsage", usage)) == []
    (old,) = (
        image for image in furnished.get("/v1.41/system/df")["Images"] if image["RepoTags"] == ["one:1"]
    )
    assert old["VirtualSize"] == 1500


@pytest.mark.parametrize(
    ("kind", "key"),
    [("container", "Containers"), ("image", "Images"), ("volume", "Volumes"), ("build-cache", "BuildCache")],
)
def test_only_what_was_asked_for(furnished: Engine, kind: str, key: str) -> None:
    usage = furnished.get(f"/system/df?type={kind}")
    lists = {name: value for name, value in usage.items() if name != "LayersSize"}
    assert [name for name, value in lists.items() if value is not None] == [key]
    assert (usage["LayersSize"] > 0) == (kind == "image")
    status, answer = furnished.api("GET", f"/system/df?type={kind}&type=nonsense")
    assert (status, answer["message"]) == (400, "unknown object type: nonsense")
    # Older versions have no such parameter.
    assert furnished.get(f"/v1.41/system/df?type={kind}")["Volumes"]


@since_cli(25)
def test_the_docker_command(furnished: Engine) -> None:
    lines = furnished.docker("system", "df", "--format", "json").stdout.splitlines()
    shown = {line["Type"]: line for line in map(json.loads, lines)}
    assert (shown["Images"]["TotalCount"], shown["Images"]["Active"]) == ("3", "2")
    assert shown["Images"]["Reclaimable"].startswith("1.3kB")
    assert (shown["Containers"]["Size"], shown["Local Volumes"]["Size"]) == ("3kB", "5kB")
    assert shown["Build Cache"]["TotalCount"] == "0"
    verbose = furnished.docker("system", "df", "--verbose").stdout.decode()
    assert "SHARED SIZE   UNIQUE SIZE" in verbose
    assert any(line.split() == ["data", "2", "5kB"] for line in verbose.splitlines())
    assert furnished.py.df()["LayersSize"] == furnished.get("/system/df")["LayersSize"]


def test_many_ask_while_containers_come_and_go(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    answers: list[tuple[int, Any]] = []

    def ask() -> None:
        for _ in range(10):
            answers.append(engine.api("GET", "/system/df"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        _, made = engine.create(Cmd=["x"], HostConfig={"Binds": ["volume:/v"]})
        assert engine.api("DELETE", f"/containers/{made['Id']}?v=1")[0] == 204
        engine.api("DELETE", "/volumes/volume")
    for thread in threads:
        thread.join()
    assert [answer for answer in answers if answer[0] != 200] == []
