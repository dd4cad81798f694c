"""Images made from containers."""

import io
import json
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError
from tests.engine.engine import IMAGE, Engine, wait_for

NewEngine = Callable[..., Engine]


def _inspect(engine: Engine, image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.docker("image", "inspect", image).stdout)[0]
    return found


def _changed(engine: Engine, name: str, script: str, *flags: str, image: str = IMAGE) -> str:
    engine.docker("run", "--name", name, *flags, image, "sh", "-c", script)
    return name


def _sees(engine: Engine, image: str, script: str) -> str:
    return engine.docker("run", "--rm", image, "sh", "-c", script).stdout.decode()


@pytest.mark.parametrize("client", ["docker", "lading"])
def test_what_was_changed_is_in_the_image(engine: Engine, client: str) -> None:
    script = (
        "echo new > /made; mkdir -p /d/e; echo x > /d/e/f; ln /made /again; ln -s made /link; mkfifo /pipe;"
        " rm -r /bin/vi; chmod 4711 /made; chown 12:34 /d; rm -r /usr; mkdir /usr; echo y > /usr/only"
    )
    _changed(engine, "source", script)
    done = getattr(engine, client)("commit", "-a", "me <me@x>", "-m", "why", "source", f"{client}-made:1")
    identifier = done.stdout.decode().strip()
    assert identifier.startswith("sha256:")
    seen = _sees(
        engine,
        f"{client}-made:1",
        "cat /made /again /link /d/e/f; stat -c '%a %h' /made; stat -c %u:%g /d;"
        " ls -d /pipe; ls /usr; ls /bin/vi || true",
    )
    assert seen.splitlines() == ["new", "new", "new", "x", "4711 2", "12:34", "/pipe", "only"]
    image = _inspect(engine, f"{client}-made:1")
    assert image["Id"] == identifier
    assert (image["Author"], image["Comment"]) == ("me <me@x>", "why")
    assert image["Parent"] == _inspect(engine, IMAGE)["Id"]
    assert image["RootFS"]["Layers"][:-1] == _inspect(engine, IMAGE)["RootFS"]["Layers"]
    newest = engine.get(f"/images/{client}-made:1/history")[0]
    assert (newest["Comment"], newest["CreatedBy"]) == ("why", f"sh -c {script}")
    assert 0 < newest["Size"] < 100
    engine.docker("rm", "source")
    engine.docker("rmi", f"{client}-made:1")
    assert engine.docker("image", "inspect", IMAGE, check=False).returncode == 0


def test_a_container_that_changed_nothing_gives_an_empty_layer(engine: Engine) -> None:
    _changed(engine, "same", "true")
    engine.docker("commit", "same", "same:1")
    assert _inspect(engine, "same:1")["RootFS"] == _inspect(engine, IMAGE)["RootFS"]
    assert engine.get("/images/same:1/history")[0]["Size"] == 0
    assert _sees(engine, "same:1", "echo runs") == "runs\n"
    engine.docker("rmi", "same:1")


def test_what_the_engine_puts_in_its_place_is_not_committed(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    flags = ("-v", f"{tmp_path}:/mounted", "--tmpfs", "/scratch", "-v", "kept:/volume")
    _changed(engine, "mounted", "echo a > /mine; echo b > /scratch/b; echo c > /volume/c", *flags)
    engine.docker("commit", "mounted", "mounted:1")
    archive = engine.docker("create", "--name", "fresh", "mounted:1", "true")
    archive = engine.docker("export", "fresh")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        names = set(tar.getnames())
    assert "mine" in names
    assert not {"mounted/secret", "scratch/b", "volume/c"} & names
    engine.docker("rm", "-f", "fresh", "mounted")
    engine.docker("rmi", "mounted:1")
    engine.docker("volume", "rm", "kept", check=False)


def test_layers_on_layers(engine: Engine) -> None:
    """What one commit made, the next one hides or replaces."""
    _changed(engine, "one", "mkdir /d; echo 1 > /d/a; echo 1 > /d/b; echo 1 > /f")
    engine.docker("commit", "one", "stack:1")
    _changed(engine, "two", "rm /d/a; rm -r /d; mkdir /d; echo 2 > /d/c; rm /f; mkdir /f", image="stack:1")
    engine.docker("commit", "two", "stack:2")
    assert _sees(engine, "stack:2", "ls /d; ls -d /f/; ls /d/a /d/b 2>/dev/null || true") == "c\n/f/\n"
    assert len(engine.get("/images/stack:2/history")) == len(engine.get(f"/images/{IMAGE}/history")) + 2
    refused = engine.docker("rmi", "-f", "stack:1", check=False)
    engine.docker("rm", "one", "two")
    engine.docker("rmi", "stack:2")
    if refused.returncode:
        engine.docker("rmi", "stack:1")


def test_a_running_container_stands_still_meanwhile(engine: Engine) -> None:
    script = "while :; do echo $i > /a; cp /a /b; i=$((i+1)); done"
    engine.docker("run", "-d", "--name", "busy", IMAGE, "sh", "-c", script)
    wait_for(lambda: engine.docker("exec", "busy", "cat", "/b", check=False).stdout.strip())
    engine.py.containers.get("busy").commit("busy", "paused")
    engine.docker("commit", "--pause=false", "busy", "busy:running")
    assert engine.get("/containers/busy/json")["State"]["Status"] == "running"
    filters = {"container": "busy", "type": "container"}
    told = engine.py.events(since=1, until=int(time.time()) + 1, filters=filters, decode=True)
    actions = [event["Action"] for event in told]
    assert actions[-4:] == ["pause", "unpause", "commit", "commit"]
    engine.docker("pause", "busy")
    engine.docker("commit", "busy", "busy:still")
    assert engine.get("/containers/busy/json")["State"]["Status"] == "paused"
    for tag in ("paused", "running", "still"):
        assert _sees(engine, f"busy:{tag}", "ls /a") == "/a\n"
        engine.docker("rmi", f"busy:{tag}")


def test_a_container_goes_on_though_the_engine_ended_in_the_middle(new_engine: NewEngine) -> None:
    engine = new_engine()
    script = "head -c 100m /dev/zero > /big; echo ready; exec sleep 1000"
    engine.docker("run", "-d", "--name", "busy", IMAGE, "sh", "-c", script)
    wait_for(lambda: engine.docker("logs", "busy").stdout == b"ready\n")
    waiting = threading.Thread(target=lambda: engine.docker("commit", "busy", "half:1", check=False))
    waiting.start()
    wait_for(lambda: engine.get("/containers/busy/json")["State"]["Paused"])
    engine.kill()
    waiting.join()
    engine.start()
    assert engine.get("/containers/busy/json")["State"]["Status"] == "running"
    assert engine.docker("exec", "busy", "echo", "goes on").stdout == b"goes on\n"
    assert [image["RepoTags"] for image in engine.get("/images/json")] == [[f"{IMAGE}:latest"]]
    left = list((engine.data_root / "content" / "ingest").iterdir())
    assert left == []


def test_the_configuration_is_the_containers_with_changes(engine: Engine) -> None:
    flags = ("-e", "A=1", "-e", "B=2", "-l", "x=y", "-w", "/tmp", "-u", "1000", "--expose", "80")
    _changed(engine, "configured", "true", *flags)
    engine.docker("commit", "configured", "plain:1")
    config = _inspect(engine, "plain:1")["Config"]
    assert (config["User"], config["WorkingDir"], config["Labels"]["x"]) == ("1000", "/tmp", "y")
    assert config["Cmd"] == ["sh", "-c", "true"]
    assert {"A=1", "B=2"} <= set(config["Env"])
    changes = (
        'CMD ["echo", "hi"]',
        "ENV A=9 C=3",
        "EXPOSE 443/tcp",
        "LABEL z=w",
        "USER root",
        "WORKDIR sub",
        "VOLUME /data",
        "STOPSIGNAL SIGINT",
    )
    words = [word for change in changes for word in ("-c", change)]
    engine.docker("commit", *words, "configured", "changed:1")
    config = _inspect(engine, "changed:1")["Config"]
    assert (config["User"], config["WorkingDir"], config["Cmd"]) == ("root", "/tmp/sub", ["echo", "hi"])
    assert {"A=9", "B=2", "C=3"} <= set(config["Env"])
    assert set(config["ExposedPorts"]) == {"80/tcp", "443/tcp"}
    assert {"x": "y", "z": "w"}.items() <= config["Labels"].items()
    assert config["Volumes"] == {"/data": {}}
    assert engine.docker("run", "--rm", "changed:1").stdout == b"hi\n"
    # Another program does not get the arguments of the one before.
    engine.docker("commit", "-c", 'ENTRYPOINT ["echo", "from", "entry"]', "configured", "entry:1")
    assert engine.docker("run", "--rm", "entry:1").stdout == b"from entry\n"
    made = engine.py.containers.get("configured").commit("asked", "1", conf={"Cmd": ["echo", "asked"]})
    assert engine.docker("run", "--rm", made.id).stdout == b"asked\n"
    engine.docker("rmi", "plain:1", "changed:1", "entry:1", "asked:1")


def test_commits_that_cannot_be(engine: Engine) -> None:
    container = engine.py.containers.create(IMAGE, ["true"])
    images = len(engine.get("/images/json?all=1"))
    for words, said in (
        (["-c", "NONSENSE x", container.id], "NONSENSE is not a valid change command"),
        (["nosuch"], "No such container: nosuch"),
    ):
        done = engine.docker("commit", *words, check=False)
        assert done.returncode == 1
        assert said in done.stderr.decode()
    with pytest.raises(APIError) as refused:
        container.commit("UPPER", "1")
    assert refused.value.status_code == 400
    assert len(engine.get("/images/json?all=1")) == images


def test_an_image_without_a_name(engine: Engine) -> None:
    _changed(engine, "nameless", "echo x > /x")
    identifier = engine.docker("commit", "nameless").stdout.decode().strip()
    assert _inspect(engine, identifier)["RepoTags"] == []
    assert _sees(engine, identifier, "cat /x") == "x\n"
    engine.docker("rmi", identifier)


def test_programs_can_tell_that_they_run_in_a_container(engine: Engine) -> None:
    assert engine.docker("run", "--name", "told", IMAGE, "ls", "/.dockerenv").stdout == b"/.dockerenv\n"
    assert engine.docker("diff", "told").stdout == b""
    engine.docker("commit", "told", "marked:1")
    layers = engine.get("/images/marked:1/json")["RootFS"]["Layers"]
    assert layers == engine.get(f"/images/{IMAGE}/json")["RootFS"]["Layers"], (
        "the mark is no part of an image"
    )
