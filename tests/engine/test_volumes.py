"""Volumes through docker's clients."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import docker.errors
import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine needs root")


@pytest.fixture(autouse=True)
def _clean(engine: Engine) -> Iterator[None]:
    yield
    engine.remove_containers()
    for volume in engine.get("/volumes")["Volumes"]:
        engine.api("DELETE", f"/volumes/{volume['Name']}?force=1")


def _names(engine: Engine, *filters: str) -> list[str]:
    words = [word for text in filters for word in ("--filter", text)]
    return sorted(engine.docker("volume", "ls", "-q", *words).stdout.decode().split())


def _refused(engine: Engine, *words: str) -> str:
    done = engine.docker(*words, check=False)
    assert done.returncode, words
    return done.stderr.decode().strip().splitlines()[0]


def test_from_creation_to_removal(engine: Engine) -> None:
    made = engine.docker("volume", "create", "--label", "tier=db", "data").stdout.decode().strip()
    assert made == "data"
    (shown,) = json.loads(engine.docker("volume", "inspect", "data").stdout)
    assert shown["Labels"] == {"tier": "db"}
    assert (shown["Driver"], shown["Scope"], shown["Options"]) == ("local", "local", None)
    assert shown["Mountpoint"] == f"{engine.data_root}/volumes/data/_data"
    engine.docker("run", "--name", "cc", "-v", "data:/d", IMAGE, "sh", "-c", "echo kept > /d/file")
    container = engine.get("/containers/cc/json")["Id"]
    assert _refused(engine, "volume", "rm", "data") == (
        f"Error response from daemon: remove data: volume is in use - [{container}]"
    )
    engine.docker("rm", "cc")
    assert engine.docker("run", "--rm", "-v", "data:/d", IMAGE, "cat", "/d/file").stdout == b"kept\n"
    engine.docker("volume", "rm", "data")
    assert _refused(engine, "volume", "rm", "data") == "Error response from daemon: get data: no such volume"
    engine.docker("volume", "rm", "--force", "data")


def test_filters_and_pruning(engine: Engine) -> None:
    for name, label in (("one", "a=1"), ("two", "a=2"), ("used", "b")):
        engine.docker("volume", "create", "--label", label, name)
    nameless = engine.docker("volume", "create").stdout.decode().strip()
    engine.docker("create", "-v", "used:/d", IMAGE)
    assert _names(engine, "dangling=true") == sorted([nameless, "one", "two"])
    assert _names(engine, "dangling=false") == ["used"]
    assert _names(engine, "label=a") == ["one", "two"]
    assert _names(engine, "label=a=2") == ["two"]
    assert _names(engine, "name=^.*o.*$", "driver=local", "label=a") == ["one", "two"]
    assert _names(engine, "driver=other") == []
    Path(engine.data_root, "volumes", nameless, "_data", "bytes").write_bytes(b"x" * 1000)
    assert engine.py.volumes.prune() == {"VolumesDeleted": [nameless], "SpaceReclaimed": 1000}
    engine.docker("volume", "prune", "-af", "--filter", "label!=a=1")
    assert _names(engine) == ["one", "used"]
    engine.docker("volume", "prune", "-af", "--filter", "label=a")
    assert _names(engine) == ["used"]


def test_old_clients_prune_volumes_with_names_too(engine: Engine) -> None:
    engine.docker("volume", "create", "named")
    assert engine.api("POST", "/v1.42/volumes/prune")[1]["VolumesDeleted"] == []
    assert engine.api("POST", "/v1.41/volumes/prune")[1]["VolumesDeleted"] == ["named"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x",), "create x: volume name is too short, names should be at least two alphanumeric characters"),
        (("-d", "nope", "data"), 'create data: error looking up volume plugin nope: plugin "nope" not found'),
        (("-o", "foo=1", "data"), 'create data: invalid option: "foo"'),
        (("-o", "type=nfs", "data"), 'create data: missing required option: "device"'),
        (("-o", "size=1g", "data"), "create data: quota size requested but no quota support"),
        (
            ("--type", "mount", "data"),
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
            "to connect this node to swarm and try again.",
        ),
    ],
)
def test_what_cannot_be_made(engine: Engine, words: tuple[str, ...], said: str) -> None:
    assert _refused(engine, "volume", "create", *words) == f"Error response from daemon: {said}"
    assert _names(engine) == []


def test_only_volumes_of_clusters_are_updated(engine: Engine) -> None:
    engine.docker("volume", "create", "data")
    status, answer = engine.api("PUT", "/volumes/data?version=1", {"Spec": {}})
    assert status == 503
    assert answer["message"] == "volume update only valid for cluster volumes, but swarm is unavailable"


def test_a_name_again(engine: Engine) -> None:
    engine.docker("volume", "create", "--label", "a=1", "data")
    engine.docker("volume", "create", "--label", "a=2", "data")
    assert engine.py.volumes.get("data").attrs["Labels"] == {"a": "1"}


def test_what_events_tell(engine: Engine) -> None:
    since = engine.get("/info")["SystemTime"]
    engine.docker("run", "--rm", "-v", "told:/d:ro", IMAGE, "true")
    engine.docker("volume", "rm", "told")
    engine.docker("volume", "prune", "-f")
    until = engine.get("/info")["SystemTime"]
    words = ("--filter", "type=volume", "--format", "{{json .}}")
    shown = engine.docker("events", "--since", since, "--until", until, *words).stdout
    events = [json.loads(line) for line in shown.splitlines()]
    assert [event["Action"] for event in events] == ["create", "mount", "unmount", "destroy", "prune"]
    mount = events[1]["Actor"]["Attributes"]
    assert (mount["destination"], mount["driver"], mount["read/write"]) == ("/d", "local", "false")
    assert events[4]["Actor"]["Attributes"] == {"reclaimed": "0"}


def test_a_volume_in_memory_is_there_while_it_is_used(engine: Engine) -> None:
    engine.docker("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m", "memory")
    place = engine.py.volumes.get("memory").attrs["Mountpoint"]
    engine.docker("run", "-d", "--name", "cc", "-v", "memory:/m", IMAGE, "sleep", "1000")
    assert place in engine.mounts()
    engine.docker("run", "--rm", "-v", "memory:/m", IMAGE, "sh", "-c", "echo seen > /m/file")
    assert engine.docker("exec", "cc", "cat", "/m/file").stdout == b"seen\n"
    assert engine.docker("exec", "cc", "grep", " /m ", "/proc/mounts").stdout.split()[2] == b"tmpfs"
    engine.docker("stop", "-t", "0", "cc")
    assert place not in engine.mounts()


def test_a_bound_directory_gets_the_image_s_files_and_survives_its_volume(
    engine: Engine, tmp_path: Path
) -> None:
    options = ("-o", "type=none", "-o", "o=bind", "-o", f"device={tmp_path}")
    engine.docker("volume", "create", *options, "bound")
    engine.docker("run", "--rm", "-v", "bound:/etc", IMAGE, "true")
    assert (tmp_path / "passwd").exists()
    engine.docker("run", "--rm", "-v", "bound:/b", IMAGE, "touch", "/b/more")
    engine.docker("volume", "rm", "bound")
    assert {"passwd", "more"} <= set(os.listdir(tmp_path))
    assert [mount for mount in engine.mounts() if "/volumes/" in mount] == []


def test_files_are_copied_into_what_a_volume_is_mounted_from(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "bound").mkdir()
    (tmp_path / "file").write_text("x")
    options = ("-o", "type=none", "-o", "o=bind", "-o", f"device={tmp_path}/bound")
    engine.docker("volume", "create", *options, "bound")
    engine.docker("create", "--name", "box", "-v", "bound:/b", IMAGE)
    engine.docker("cp", f"{tmp_path}/file", "box:/b/file")
    assert (tmp_path / "bound" / "file").read_text() == "x"
    engine.docker("cp", "box:/b/file", f"{tmp_path}/back")
    assert (tmp_path / "back").read_text() == "x"
    assert [mount for mount in engine.mounts() if "/volumes/" in mount] == []


def test_what_cannot_be_mounted(engine: Engine) -> None:
    options = ("-o", "type=none", "-o", "o=bind", "-o", "device=/not/there")
    engine.docker("volume", "create", *options, "bad")
    place = engine.py.volumes.get("bad").attrs["Mountpoint"]
    said = _refused(engine, "run", "--rm", "-v", "bad:/b", IMAGE, "true")
    expected = (
        f"error while mounting volume '{place}': failed to mount local volume: "
        f"mount /not/there:{place}, flags: 0x1000: no such file or directory"
    )
    assert expected in said
    assert engine.get("/containers/json?all=1") == []
    engine.docker("volume", "rm", "bad")


def test_a_killed_daemon_unmounts_what_ended_meanwhile(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    engine.docker("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "memory")
    place = engine.py.volumes.get("memory").attrs["Mountpoint"]
    for name in ("one", "two"):
        engine.docker("run", "-d", "--name", name, "-v", "memory:/m", IMAGE, "sleep", "1000")
    pid = engine.get("/containers/one/json")["State"]["Pid"]
    engine.kill()
    os.kill(pid, 9)
    engine.start()
    wait_for(lambda: not engine.get("/containers/one/json")["State"]["Running"])
    assert place in engine.mounts()
    engine.docker("stop", "-t", "0", "two")
    assert place not in engine.mounts()


def test_docker_py(engine: Engine) -> None:
    volume = engine.py.volumes.create("py", driver="local", labels={"a": "b"})
    assert [each.name for each in engine.py.volumes.list(filters={"label": "a=b"})] == ["py"]
    volume.remove()
    with pytest.raises(docker.errors.NotFound):
        engine.py.volumes.get("py")


# --- images as mounts


@pytest.fixture
def layered(engine: Engine) -> Iterator[str]:
    """An image of two layers."""
    engine.docker("run", "--name", "maker", IMAGE, "sh", "-c", "mkdir /made && echo hello > /made/file")
    engine.docker("commit", "maker", "layered:1")
    engine.docker("rm", "maker")
    yield "layered:1"
    engine.docker("rmi", "-f", "layered:1", check=False)


def _image_mounts(engine: Engine) -> list[str]:
    return [mount for mount in engine.mounts() if f"{engine.exec_root}/images/" in mount]


def test_an_image_is_mounted_read_only(engine: Engine, layered: str) -> None:
    mount = f"type=image,src={layered},dst=/img"
    shown = engine.docker("run", "--rm", "--mount", mount, IMAGE, "cat", "/img/made/file", "/img/etc/passwd")
    assert shown.stdout.startswith(b"hello\nroot:")
    done = engine.docker("run", "--rm", "--mount", mount, IMAGE, "touch", "/img/no", check=False)
    assert b"Read-only file system" in done.stderr
    part = f"{mount},image-subpath=made"
    assert engine.docker("run", "--rm", "--mount", part, IMAGE, "ls", "/img").stdout == b"file\n"
    one = f"{mount},image-subpath=made/file"
    assert engine.docker("run", "--rm", "--mount", one, IMAGE, "cat", "/img").stdout == b"hello\n"
    assert wait_for(lambda: not _image_mounts(engine))


def test_a_mounted_image_is_in_use(engine: Engine, layered: str) -> None:
    engine.docker(
        "run", "-d", "--name", "user", "--mount", f"type=image,src={layered},dst=/img", IMAGE, "top"
    )
    (point,) = engine.get("/containers/user/json")["Mounts"]
    assert (point["Type"], point["Name"], point["RW"]) == ("image", layered, False)
    point_image = engine.get(f"/images/{layered}/json")["Id"]
    assert "is using its referenced image" in _refused(engine, "rmi", layered)
    assert "is being used by running container" in _refused(engine, "rmi", "-f", point_image)
    engine.docker("stop", "-t", "0", "user")
    assert wait_for(lambda: not _image_mounts(engine))
    # By force its name goes, and what a container needs of it stays.
    engine.docker("rmi", "-f", layered)
    engine.docker("start", "user")
    assert engine.docker("exec", "user", "cat", "/img/made/file").stdout == b"hello\n"


@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ("type=image,src=nothere,dst=/img", "No such image: nothere:latest"),
        ("type=image,dst=/img", 'invalid mount config for type "image": field Source must not be empty'),
        (
            f"type=image,src={IMAGE},dst=/img,image-subpath=../x",
            'invalid mount config for type "image": subpath must be a relative path within the volume',
        ),
    ],
)
def test_what_image_cannot_be_mounted(engine: Engine, mount: str, said: str) -> None:
    refusal = _refused(engine, "create", "--mount", mount, IMAGE)
    assert refusal == f"Error response from daemon: {said}"


def test_a_killed_daemon_takes_image_mounts_back(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    for name in ("stays", "ends"):
        mount = f"type=image,src={IMAGE},dst=/img"
        engine.docker("run", "-d", "--name", name, "--mount", mount, IMAGE, "sleep", "1000")
    pid = engine.get("/containers/ends/json")["State"]["Pid"]
    engine.kill()
    os.kill(pid, 9)
    engine.start()
    wait_for(lambda: len(_image_mounts(engine)) == 1)
    assert b"passwd" in engine.docker("exec", "stays", "ls", "/img/etc").stdout
    engine.docker("start", "ends")
    assert b"passwd" in engine.docker("exec", "ends", "ls", "/img/etc").stdout


def test_a_single_file_is_bound_read_only(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x\n")
    for flags in (
        ("-v", f"{tmp_path}/file:/f:ro"),
        ("--mount", f"type=bind,src={tmp_path}/file,dst=/f,readonly"),
    ):
        assert engine.docker("run", "--rm", *flags, IMAGE, "cat", "/f").stdout == b"x\n"
        done = engine.docker("run", "--rm", *flags, IMAGE, "sh", "-c", "echo y > /f", check=False)
        assert b"Read-only file system" in done.stderr
