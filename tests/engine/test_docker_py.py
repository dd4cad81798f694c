"""Programs written against docker-py find what they expect: objects, streams and errors."""

import io
import tarfile
import threading
from typing import Any

import docker.errors
import pytest
from docker.models.containers import Container
from tests.engine.engine import IMAGE, Engine, wait_for


def _run(engine: Engine, *words: str, **options: Any) -> Container:
    container = engine.py.containers.run(IMAGE, list(words), detach=True, **options)
    assert isinstance(container, Container)
    return container


def test_run_gives_the_output_or_the_error(engine: Engine) -> None:
    assert engine.py.containers.run(IMAGE, ["echo", "hello"], remove=True) == b"hello\n"
    script = ["sh", "-c", "echo o; echo e >&2; exit 5"]
    with pytest.raises(docker.errors.ContainerError) as failure:
        engine.py.containers.run(IMAGE, script, remove=True)
    assert (failure.value.exit_status, failure.value.stderr) == (5, b"e\n")
    with pytest.raises(docker.errors.ImageNotFound):
        engine.py.api.create_container("no/such:image")
    assert engine.py.containers.list(all=True) == []


def test_a_life_in_objects(engine: Engine) -> None:
    container = engine.py.containers.create(
        IMAGE, ["sleep", "100"], name="life", labels={"a": "b"}, environment={"K": "v"}, stop_signal="KILL"
    )
    assert (container.status, container.name, container.labels["a"]) == ("created", "life", "b")
    container.start()
    container.reload()
    assert container.status == "running"
    container.rename("after")
    assert engine.py.containers.get("after").id == container.id
    container.restart(timeout=1)
    container.reload()
    assert (container.status, container.attrs["RestartCount"]) == ("running", 0)
    container.stop()
    assert container.wait()["StatusCode"] == 137
    container.remove()
    with pytest.raises(docker.errors.NotFound, match="No such container: life"):
        engine.py.containers.get("life")


def test_exec_gives_code_and_output(engine: Engine) -> None:
    container = _run(engine, "sleep", "100")
    result = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True)
    assert (result.exit_code, result.output) == (3, (b"out\n", b"err\n"))
    result = container.exec_run(
        ["sh", "-c", "echo $A; pwd; id -u; [ -t 1 ] && echo tty"],
        environment={"A": "1"},
        workdir="/tmp",
        user="9",
        tty=True,
    )
    assert result.output == b"1\r\n/tmp\r\n9\r\ntty\r\n"
    assert container.exec_run(["no-such-thing"]).exit_code == 127
    _, pieces = container.exec_run(["sh", "-c", "echo 1; echo 2"], stream=True)
    assert b"".join(pieces) == b"1\n2\n"


def test_exec_over_a_socket_both_ways(engine: Engine) -> None:
    container = _run(engine, "sleep", "100")
    _, socket = container.exec_run(["cat"], stdin=True, socket=True)
    raw = socket._sock
    raw.sendall(b"there and back\n")
    raw.shutdown(1)
    answer = b""
    while piece := raw.recv(4096):
        answer += piece
    assert answer == b"\x01\0\0\0\0\0\0\x0fthere and back\n"


def test_attach_sees_logs_and_what_follows(engine: Engine) -> None:
    container = _run(engine, "sh", "-c", "echo first; read x; echo second", stdin_open=True)
    wait_for(lambda: container.logs() == b"first\n")
    stream = container.attach(stream=True, logs=True)
    assert next(stream) == b"first\n"
    socket = container.attach_socket(params={"stdin": 1, "stream": 1})
    socket._sock.sendall(b"\n")
    assert list(stream) == [b"second\n"]


def test_logs_by_parameters(engine: Engine) -> None:
    container = _run(engine, "sh", "-c", "echo 1; echo 2; echo e >&2; sleep 0.2; echo 3")
    assert b"".join(container.logs(stream=True, follow=True, stderr=False)) == b"1\n2\n3\n"
    assert container.logs(stdout=False) == b"e\n"
    assert container.logs(tail=1) == b"3\n"
    line = container.logs(tail=1, timestamps=True)
    assert line.endswith(b"Z 3\n")
    assert container.logs(since=4_000_000_000) == b""
    assert container.logs(until=1) == b""


def test_wait_by_condition(engine: Engine) -> None:
    container = engine.py.containers.create(IMAGE, ["sh", "-c", "exit 4"], auto_remove=True)
    address = f"{engine.py.api.base_url}/v1.51/containers/{container.id}/wait"
    # The answer's head tells that the wait has begun, so that what follows cannot be missed.
    waits = [
        engine.py.api.post(address, params={"condition": condition}, stream=True)
        for condition in ("next-exit", "removed")
    ]
    container.start()
    assert [wait.json()["StatusCode"] for wait in waits] == [4, 4]
    with pytest.raises(docker.errors.NotFound):
        container.wait()


def test_errors_have_their_statuses(engine: Engine) -> None:
    container = engine.py.containers.create(IMAGE, ["sleep", "100"], name="taken")
    with pytest.raises(docker.errors.APIError, match='container name "/taken" is already in use') as failure:
        engine.py.containers.create(IMAGE, name="taken")
    assert failure.value.status_code == 409
    with pytest.raises(docker.errors.APIError, match="is not running") as failure:
        container.kill()
    assert failure.value.status_code == 409
    with pytest.raises(docker.errors.APIError, match="is not running") as failure:
        container.exec_run("true")
    assert failure.value.status_code == 409
    with pytest.raises(docker.errors.APIError, match="Invalid container name") as failure:
        container.rename("../x")
    assert failure.value.status_code == 400
    container.start()
    container.start()
    with pytest.raises(docker.errors.APIError, match="stop the container before removing") as failure:
        container.remove()
    assert failure.value.status_code == 409
    with pytest.raises(docker.errors.APIError, match="Invalid signal: NONSENSE") as failure:
        container.kill("NONSENSE")
    assert failure.value.status_code == 400
    container.kill()
    container.wait()
    container.stop()
    with pytest.raises(docker.errors.NotFound, match="No such exec instance"):
        engine.py.api.exec_inspect("0" * 64)


def test_list_by_filters(engine: Engine) -> None:
    old = _run(engine, "true", name="old-one", labels={"x": "1", "y": "2"})
    old.wait()
    failed = _run(engine, "sh", "-c", "exit 3", name="failed")
    failed.wait()
    new = _run(engine, "sleep", "100", name="new-one", labels={"x": "2"}, ports={"80/tcp": None})

    def names(**filters: Any) -> list[str]:
        return [found.name for found in engine.py.containers.list(all=True, filters=filters)]

    assert [found.name for found in engine.py.containers.list()] == ["new-one"]
    assert names() == ["new-one", "failed", "old-one"]
    assert names(label="x") == ["new-one", "old-one"]
    assert names(label=["x=1", "y"]) == ["old-one"]
    assert names(name="one") == ["new-one", "old-one"]
    assert names(name="^/old") == ["old-one"]
    assert names(id=failed.id[:12]) == ["failed"]
    assert names(status="exited") == ["failed", "old-one"]
    assert names(status=["running", "created"]) == ["new-one"]
    assert names(exited=3) == ["failed"]
    assert names(before="failed") == ["old-one"]
    assert names(since="failed") == ["new-one"]
    assert names(ancestor=IMAGE) == ["new-one", "failed", "old-one"]
    assert names(publish="80/tcp") == ["new-one"]
    assert names(network="bridge") == ["new-one", "failed", "old-one"]
    assert [found.name for found in engine.py.containers.list(limit=2)] == ["new-one", "failed"]
    with pytest.raises(docker.errors.APIError, match="invalid filter") as failure:
        names(nonsense="1")
    assert failure.value.status_code == 400
    new.reload()
    assert new.ports["80/tcp"][0]["HostPort"].isdecimal()


def _tar(name: str, content: bytes) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def test_images_come_and_go(engine: Engine) -> None:
    data = _tar("file", b"content")
    engine.py.api.import_image_from_data(data, repository="mine", tag="1", changes=['CMD ["/file"]'])
    image = engine.py.images.get("mine:1")
    assert (image.tags, image.attrs["Config"]["Cmd"]) == (["mine:1"], ["/file"])
    assert image.tag("other/name", "2")
    image.reload()
    assert sorted(image.tags) == ["mine:1", "other/name:2"]
    assert len(image.history()) == 1
    assert image in engine.py.images.list("mine")
    assert engine.py.images.list(filters={"reference": "other/*"}) == [image]
    container = engine.py.containers.create("mine:1")
    with pytest.raises(docker.errors.APIError, match="conflict: unable to delete") as failure:
        engine.py.images.remove(image.id)
    assert failure.value.status_code == 409
    container.remove()
    engine.py.images.remove("mine:1")
    engine.py.images.remove("other/name:2")
    with pytest.raises(docker.errors.ImageNotFound, match="No such image: mine:1"):
        engine.py.images.get("mine:1")
    with pytest.raises(docker.errors.ImageNotFound):
        engine.py.images.remove("mine:1")


def test_images_load_from_an_archive(engine: Engine) -> None:
    archive = io.BytesIO()
    config = b'{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}'
    with tarfile.open(fileobj=archive, mode="w") as tar:
        manifest = b'[{"Config":"c.json","RepoTags":["loaded:here"],"Layers":[]}]'
        for name, content in (("c.json", config), ("manifest.json", manifest)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (image,) = engine.py.images.load(archive.getvalue())
    assert image.tags == ["loaded:here"]
    engine.py.images.remove("loaded:here")


def test_volumes_and_networks(engine: Engine) -> None:
    volume = engine.py.volumes.create("data", labels={"l": "1"})
    assert [found.name for found in engine.py.volumes.list(filters={"label": "l=1"})] == ["data"]
    mount = {"data": {"bind": "/d", "mode": "rw"}}
    engine.py.containers.run(IMAGE, ["sh", "-c", "echo kept > /d/f"], volumes=mount, remove=True)
    assert engine.py.containers.run(IMAGE, ["cat", "/d/f"], volumes=mount, remove=True) == b"kept\n"
    holder = engine.py.containers.create(IMAGE, volumes=mount)
    with pytest.raises(docker.errors.APIError, match="volume is in use") as failure:
        volume.remove()
    assert failure.value.status_code == 409
    holder.remove()
    volume.remove()
    with pytest.raises(docker.errors.NotFound):
        engine.py.volumes.get("data")
    assert {network.name for network in engine.py.networks.list()} == {"bridge", "host", "none"}
    assert engine.py.networks.get("bridge").attrs["Driver"] == "bridge"


def test_events_as_they_come(engine: Engine) -> None:
    stream = engine.py.events(decode=True, filters={"type": "container", "label": "watch"})
    seen: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    container = engine.py.containers.create(IMAGE, ["sh", "-c", "exit 6"], labels=["watch"], name="seen")
    container.start()
    container.wait()
    container.remove()
    wait_for(lambda: any(event["Action"] == "destroy" for event in seen))
    stream.close()
    thread.join(20)
    assert [event["Action"] for event in seen] == ["create", "start", "die", "destroy"]
    attributes = seen[2]["Actor"]["Attributes"]
    assert (attributes["exitCode"], attributes["name"], attributes["image"]) == ("6", "seen", IMAGE)
    assert seen[0]["id"] == container.id


def test_the_engine_itself(engine: Engine) -> None:
    assert engine.py.ping()
    info = engine.py.info()
    assert (info["Driver"], info["OSType"], info["ServerVersion"]) == (
        "overlay2",
        "linux",
        engine.py.version()["Version"],
    )
    _run(engine, "sleep", "100")
    assert engine.py.info()["ContainersRunning"] == 1
