"""Pushing images: what arrives at the registry, what clients are told, what happens when it breaks."""

import base64
import contextlib
import hashlib
import json
import shutil
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..registries import PASSWORD, USER, Breaking, Registry, TokenServer, needs_registry
from .engine import IMAGE, Engine, wait_for

pytestmark = needs_registry
needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
needs_podman = pytest.mark.skipif(shutil.which("podman") is None, reason="needs podman")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("engine"))
    made.start()
    yield made
    made.destroy()


@pytest.fixture
def image(engine: Engine) -> Iterator[Callable[[str], str]]:
    """Makes an image of two plain layers, each time another, under a name; gives its ID.

    All of them go afterwards.
    """
    number = 0

    def make(name: str) -> str:
        nonlocal number
        number += 1
        container = engine.docker("create", IMAGE, "true").stdout.decode().strip()
        note = Path(tempfile.mkdtemp(prefix="ldtnote")) / "note"
        note.write_text(f"{name} {number} {time.time_ns()}")
        engine.docker("cp", str(note), f"{container}:/note")
        shutil.rmtree(note.parent)
        made = engine.docker("commit", container, name).stdout.decode().strip()
        engine.docker("rm", container)
        return made

    yield make
    for shown in engine.get("/images/json"):
        if f"{IMAGE}:latest" not in shown["RepoTags"]:
            engine.api("DELETE", f"/images/{shown['Id']}?force=1")


def _identity(engine: Engine, name: str) -> str:
    return str(engine.get(f"/images/{name}/json")["Id"])


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _push(engine: Engine, name: str) -> list[dict[str, Any]]:
    """A push by the API: all its messages."""
    repository, _, tag = name.rpartition(":")
    status, body = engine.send("POST", f"/images/{repository}/push?tag={tag}", b"")
    assert status == 200, body
    return [json.loads(line) for line in body.splitlines()]


def _states(messages: list[dict[str, Any]]) -> dict[str, str]:
    """How it ended for each layer."""
    return {message["id"]: message["status"] for message in messages if "id" in message}


def _skopeo(*words: str) -> str:
    done = subprocess.run(["skopeo", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_skopeo
def test_what_was_pushed_is_the_same_image_for_others(
    engine: Engine, registry: Registry, image: Callable[[str], str], tmp_path: Path
) -> None:
    name = f"{registry.host}/a/same:1"
    identity = image(name)
    said = engine.docker("push", name).stdout.decode()
    assert said.startswith(f"The push refers to repository [{registry.host}/a/same]\n")
    _, body = registry.manifest("a/same", "1")
    assert f"\n1: digest: {_digest(body)} size: {len(body)}\n" in said
    assert json.loads(_skopeo("inspect", "--tls-verify=false", f"docker://{name}"))["Digest"] == _digest(body)
    _skopeo("copy", "--src-tls-verify=false", f"docker://{name}", f"dir:{tmp_path}/copied")
    copied = json.loads((tmp_path / "copied/manifest.json").read_bytes())
    assert copied["config"]["digest"] == identity
    shown = engine.get(f"/images/{name}/json")
    assert shown["RepoDigests"] == [f"{registry.host}/a/same@{_digest(body)}"]
    assert _identity(engine, f"{registry.host}/a/same@{_digest(body)}") == identity


def test_a_layer_that_a_push_has_packed_is_saved_once(
    engine: Engine, registry: Registry, image: Callable[[str], str], tmp_path: Path
) -> None:
    pushed, other = f"{registry.host}/a/pushed:1", f"{registry.host}/a/other:1"
    image(pushed)
    engine.docker("push", pushed)
    image(other)
    engine.docker("save", "-o", str(tmp_path / "both.tar"), pushed, other)
    with tarfile.open(tmp_path / "both.tar") as archive:
        listed = archive.extractfile("manifest.json")
        assert listed is not None
        first, second = (entry["Layers"] for entry in json.loads(listed.read()))
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_another_engine_pulls_and_runs_it(
    engine: Engine, registry: Registry, image: Callable[[str], str], new_engine: Callable[..., Engine]
) -> None:
    name = f"{registry.host}/a/pulled:1"
    identity = image(name)
    engine.docker("push", name)
    other = new_engine()
    other.docker("pull", name)
    assert _identity(other, name) == identity
    assert b"pulled" in other.docker("run", "--rm", name, "cat", "/note").stdout


@needs_podman
def test_podman_pulls_it_with_the_same_id(
    engine: Engine, registry: Registry, image: Callable[[str], str], tmp_path: Path
) -> None:
    name = f"{registry.host}/a/podman:1"
    identity = image(name)
    engine.docker("push", name)
    # Podman takes no long path for its runroot.
    run = tempfile.mkdtemp(prefix="ldtpodman", dir="/run")
    podman = ["podman", "--root", f"{tmp_path}/podman", "--runroot", run, "--storage-driver", "vfs"]
    try:
        pulled = subprocess.run(
            [*podman, "pull", "-q", "--tls-verify=false", name], capture_output=True, check=False
        )
        assert pulled.returncode == 0, pulled.stderr
        assert f"sha256:{pulled.stdout.decode().strip()}" == identity
    finally:
        for mount in (f"{tmp_path}/podman/vfs", f"{run}/vfs"):
            subprocess.run(["umount", "-l", mount], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", run, f"{tmp_path}/podman"], check=True)


def test_docker_py_hears_how_each_layer_fares(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    name = f"{registry.host}/a/told"
    image(f"{name}:x")
    messages = list(engine.py.images.push(name, tag="x", stream=True, decode=True))
    assert messages[0] == {"status": f"The push refers to repository [{name}]"}
    layers = engine.get(f"/images/{name}:x/json")["RootFS"]["Layers"]
    preparing = [message["id"] for message in messages if message.get("status") == "Preparing"]
    assert preparing == [layer[7:19] for layer in reversed(layers)]
    assert set(_states(messages).values()) == {"Pushed"}
    moved = [message["progressDetail"] for message in messages if message.get("status") == "Pushing"]
    assert any(detail.get("current") == detail["total"] for detail in moved)
    _, body = registry.manifest("a/told", "x")
    assert messages[-2] == {"status": f"x: digest: {_digest(body)} size: {len(body)}"}
    aux = {"Tag": "x", "Digest": _digest(body), "Size": len(body)}
    assert messages[-1] == {"progressDetail": {}, "aux": aux}


def test_nothing_is_sent_that_is_there(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    with Breaking(registry) as front:
        name = f"{front.host}/a/twice:1"
        image(name)
        first = _push(engine, name)
        begun = front.count("POST .*/blobs/uploads/")
        assert begun == 3
        again = _push(engine, name)
        assert set(_states(again).values()) == {"Layer already exists"}
        assert front.count("POST .*/blobs/uploads/") == begun
        assert again[-1] == first[-1]


def test_layers_are_mounted_from_other_repositories_of_the_registry(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    with Breaking(registry) as front:
        image(f"{front.host}/mine/one:1")
        _push(engine, f"{front.host}/mine/one:1")
        sent = front.count("PATCH|PUT .*/blobs/")
        engine.docker("tag", f"{front.host}/mine/one:1", f"{front.host}/mine/two:1")
        states = _states(_push(engine, f"{front.host}/mine/two:1"))
        assert set(states.values()) == {"Mounted from mine/one"}
        # Only the configuration went over the line again.
        assert front.count("PATCH|PUT .*/blobs/") == sent + 2
        assert registry.manifest("mine/two", "1") == registry.manifest("mine/one", "1")


@needs_skopeo
@pytest.mark.parametrize(
    "options",
    [["--format", "v2s2"], ["--format", "oci"], ["--format", "oci", "--dest-compress-format", "zstd"]],
)
def test_a_pulled_image_is_pushed_with_its_own_manifest(
    options: list[str], engine: Engine, registry: Registry, image: Callable[[str], str], tmp_path: Path
) -> None:
    image("local/source:1")
    engine.docker("save", "-o", str(tmp_path / "source.tar"), "local/source:1")
    engine.docker("rmi", "local/source:1")
    kind = "-".join(option.strip("-") for option in options)
    _skopeo(
        "copy", "--dest-tls-verify=false", *options,
        f"docker-archive:{tmp_path / 'source.tar'}", f"docker://{registry.host}/{kind}/from:1",
    )  # fmt: skip
    engine.docker("pull", f"{registry.host}/{kind}/from:1")
    engine.docker("tag", f"{registry.host}/{kind}/from:1", f"{registry.host}/{kind}/to:1")
    engine.docker("push", f"{registry.host}/{kind}/to:1")
    assert registry.manifest(f"{kind}/to", "1") == registry.manifest(f"{kind}/from", "1")


def test_a_layer_that_lies_elsewhere_is_not_pushed(
    engine: Engine, registry: Registry, image: Callable[[str], str], tmp_path: Path
) -> None:
    name = f"{registry.host}/a/foreign"
    image(f"{name}:plain")
    engine.docker("push", f"{name}:plain")
    engine.docker("rmi", "-f", f"{name}:plain")
    kind, body = registry.manifest("a/foreign", "plain")
    manifest = json.loads(body)
    layer = manifest["layers"][0]
    layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    layer["urls"] = [f"{registry.url}/v2/a/foreign/blobs/{layer['digest']}"]
    foreign = json.dumps(manifest).encode()
    path = "/v2/a/foreign/manifests/far"
    assert registry.request("PUT", path, foreign, {"Content-Type": kind})[0] == 201
    engine.docker("pull", f"{name}:far")
    with Registry(tmp_path / "registry") as other:
        engine.docker("tag", f"{name}:far", f"{other.host}/x/y:1")
        states = _states(_push(engine, f"{other.host}/x/y:1"))
        assert sorted(states.values()) == ["Pushed", "Skipped foreign layer"]
        assert other.manifest("x/y", "1") == (kind, foreign)
        assert not other.blob_path(layer["digest"]).exists()


def test_an_image_has_one_digest_wherever_it_is_pushed(
    engine: Engine, registry: Registry, image: Callable[[str], str], new_engine: Callable[..., Engine],
    tmp_path: Path,
) -> None:  # fmt: skip
    name = f"{registry.host}/a/equal:1"
    image(name)
    archive = tmp_path / "image.tar"
    engine.docker("save", "-o", str(archive), name)
    engine.docker("push", name)
    _, first = registry.manifest("a/equal", "1")
    assert all(layer["mediaType"].endswith("gzip") for layer in json.loads(first)["layers"])
    other = new_engine()
    other.docker("load", "-i", str(archive))
    other.docker("tag", name, f"{registry.host}/b/equal:1")
    other.docker("push", f"{registry.host}/b/equal:1")
    assert registry.manifest("b/equal", "1")[1] == first


def test_what_was_compressed_for_a_push_is_kept(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    name = f"{registry.host}/a/kept:1"
    image(name)
    engine.docker("push", name)
    layers = json.loads(registry.manifest("a/kept", "1")[1])["layers"]
    # Whatever is cleared away by the removal of another image, it is not this.
    image("local/other:1")
    engine.docker("rmi", "local/other:1")
    blobs = engine.data_root / "content/blobs/sha256"
    for layer in layers:
        assert (blobs / layer["digest"][7:]).stat().st_size == layer["size"]
    engine.docker("rmi", "-f", name)
    wait_for(lambda: not (blobs / layers[-1]["digest"][7:]).exists())


def test_all_tags_of_a_repository_are_pushed(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    name = f"{registry.host}/a/many"
    for tag in ("two", "one"):
        image(f"{name}:{tag}")
    said = engine.docker("push", "--all-tags", name).stdout.decode()
    assert registry.tags("a/many") == ["one", "two"]
    assert said.index("one: digest: ") < said.index("two: digest: ")


def test_an_upload_that_breaks_is_gone_on_with(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    with Breaking(registry) as front:
        name = f"{front.host}/a/broken:1"
        identity = image(name)
        front.fail("PATCH .*/blobs/uploads/", "cut-upload", after=100, times=2)
        front.fail("PUT .*/blobs/uploads/", "status", status=503)
        front.fail("PUT .*/manifests/", "drop")
        assert "error" not in _push(engine, name)[-1]
        manifest = json.loads(registry.manifest("a/broken", "1")[1])
        assert manifest["config"]["digest"] == identity
        for blob in (manifest["config"], *manifest["layers"]):
            assert _digest(registry.blob_path(blob["digest"]).read_bytes()) == blob["digest"]


def test_two_pushes_at_once_send_each_blob_once(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    with Breaking(registry) as front:
        name = f"{front.host}/a/both"
        image(f"{name}:1")
        engine.docker("tag", f"{name}:1", f"{name}:2")
        ended: list[dict[str, Any]] = []
        pushes = [
            threading.Thread(target=lambda tag=tag: ended.append(_push(engine, f"{name}:{tag}")[-1]))
            for tag in (1, 2)
        ]
        for push in pushes:
            push.start()
        for push in pushes:
            push.join()
        assert {message["aux"]["Tag"] for message in ended} == {"1", "2"}
        assert front.count("PATCH .*/blobs/uploads/") == 3


def test_only_so_many_uploads_go_at_once(
    registry: Registry, new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = new_engine("--max-concurrent-uploads=1")
    container = engine.docker("create", IMAGE, "true").stdout.decode().strip()
    (tmp_path / "note").write_text("note")
    engine.docker("cp", str(tmp_path / "note"), f"{container}:/note")
    name = f"{registry.host}/a/single:1"
    engine.docker("commit", container, name)
    messages = _push(engine, name)
    assert "Waiting" in [message.get("status") for message in messages]
    assert set(_states(messages).values()) <= {"Pushed", "Layer already exists"}


@pytest.mark.parametrize("kind", ["htpasswd", "token"])
def test_only_who_may_push_does(
    kind: str, engine: Engine, image: Callable[[str], str], tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        auth: Any = kind
        if kind == "token":
            auth = stack.enter_context(TokenServer(tmp_path / "tokens"))
        registry = stack.enter_context(Registry(tmp_path / "registry", auth=auth))
        name = f"{registry.host}/secret/it:1"
        image(name)
        refused = engine.docker("push", name, check=False)
        assert refused.returncode == 1
        denied = "denied: requested access to the resource is denied"
        assert (
            refused.stderr.decode()
            .strip()
            .endswith(denied if kind == "token" else "no basic auth credentials")
        )
        # Docker's client reads what `docker login` would have written.
        config = engine.directory / "docker-config"
        config.mkdir(exist_ok=True)
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (config / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": secret}}}))
        try:
            engine.docker("push", name)
            descriptor = _inspected(engine, name, {"username": USER, "password": PASSWORD})["Descriptor"]
            status, answer = engine.api("GET", f"/distribution/{name}/json")
        finally:
            (config / "config.json").unlink()
        assert descriptor["digest"] in engine.get(f"/images/{name}/json")["RepoDigests"][0]
        # A stranger is not told whether it exists.
        assert status == (404 if kind == "token" else 401), answer


def _inspected(engine: Engine, name: str, credentials: dict[str, str] | None = None) -> Any:
    return engine.py.api.inspect_distribution(name, auth_config=credentials)


def test_what_cannot_be_pushed_is_told_in_dockers_words(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    name = f"{registry.host}/a/words"
    absent = engine.docker("push", f"{name}:1", check=False)
    assert absent.stderr.decode().strip() == f"An image does not exist locally with the tag: {name}"
    image(f"{name}:1")
    absent = engine.docker("push", f"{name}:2", check=False)
    assert absent.stderr.decode().strip() == f"tag does not exist: {name}:2"
    assert engine.api("POST", "/images/Not%20a%20name/push?tag=1")[0] == 400
    digest = f"sha256:{'0' * 64}"
    assert engine.api("POST", f"/images/{name}/push?tag={digest}")[0] == 400
    other = json.dumps({"os": "linux", "architecture": "s390x"}).replace(" ", "")
    status, answer = engine.api("POST", f"/images/{name}/push?tag=1&platform={other}")
    assert status == 404
    assert "does not match the specified platform: wanted linux/s390x" in answer["message"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{probe.getsockname()[1]}/x:1"
    engine.docker("tag", f"{name}:1", nobody)
    assert b"connection refused" in engine.docker("push", nobody, check=False).stderr


def test_a_push_ends_with_its_client(engine: Engine, image: Callable[[str], str]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        name = f"127.0.0.1:{silent.getsockname()[1]}/a/silent:1"
        identity = image(name)
        config = engine.data_root / "content/blobs/sha256" / identity[7:]
        with contextlib.closing(engine.connect()) as client:
            path = name.removesuffix(":1")
            client.sendall(f"POST /images/{path}/push?tag=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            said = b""
            while b"Preparing" not in said:
                said += client.recv(4096)
        engine.docker("rmi", name)
        # Its blobs go only when nothing counts on them any more.
        wait_for(lambda: not config.exists())


def test_pushing_is_an_event(engine: Engine, registry: Registry, image: Callable[[str], str]) -> None:
    name = f"{registry.host}/a/event"
    image(f"{name}:1")
    since = time.time()
    engine.docker("push", f"{name}:1")
    told = engine.py.events(since=since, until=time.time(), filters={"event": "push"}, decode=True)
    assert [(event["Actor"]["ID"], event["Actor"]["Attributes"]["name"]) for event in told] == [
        (f"{name}:1", name)
    ]


def test_a_registry_is_asked_what_it_has(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    name = f"{registry.host}/a/asked"
    image(f"{name}:1")
    engine.docker("push", f"{name}:1")
    kind, body = registry.manifest("a/asked", "1")
    own = {key: engine.get(f"/images/{name}:1/json")[key.title()] for key in ("architecture", "os")}
    descriptor = {"mediaType": kind, "digest": _digest(body), "size": len(body)}
    expected = {"Descriptor": descriptor, "Platforms": [own]}
    assert _inspected(engine, f"{name}:1") == expected
    assert _inspected(engine, f"{name}@{_digest(body)}") == expected
    for which in (":2", f"@sha256:{'0' * 64}"):
        assert engine.api("GET", f"/distribution/{name}{which}/json")[0] == 404
    assert engine.api("GET", "/distribution/Not%20a%20name/json")[0] == 400


def test_an_index_is_for_many_platforms(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    image(f"{registry.host}/a/index:1")
    engine.docker("push", f"{registry.host}/a/index:1")
    kind, body = registry.manifest("a/index", "1")
    platforms = [
        {"architecture": "arm", "os": "linux", "variant": "v7"},
        {"architecture": "amd64", "os": "windows", "os.version": "10.0.17763.1"},
    ]
    index_type = "application/vnd.oci.image.index.v1+json"
    entry = {"mediaType": kind, "digest": _digest(body), "size": len(body)}
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": index_type,
            "manifests": [*({**entry, "platform": platform} for platform in platforms), entry],
        }
    ).encode()
    path = "/v2/a/index/manifests/all"
    assert registry.request("PUT", path, index, {"Content-Type": index_type})[0] == 201
    found = _inspected(engine, f"{registry.host}/a/index:all")
    assert found["Descriptor"] == {"mediaType": index_type, "digest": _digest(index), "size": len(index)}
    # Of the last one the index does not say what it runs on.
    assert found["Platforms"] == [*platforms, {"architecture": "", "os": ""}]


def test_what_is_no_image_is_for_no_platform(
    engine: Engine, registry: Registry, image: Callable[[str], str]
) -> None:
    image(f"{registry.host}/a/artifact:1")
    engine.docker("push", f"{registry.host}/a/artifact:1")
    kind, body = registry.manifest("a/artifact", "1")
    manifest = json.loads(body)
    # A blob that is there, and is no image's configuration.
    manifest["config"] |= {key: manifest["layers"][0][key] for key in ("digest", "size")}
    path = "/v2/a/artifact/manifests/other"
    assert registry.request("PUT", path, json.dumps(manifest).encode(), {"Content-Type": kind})[0] == 201
    assert _inspected(engine, f"{registry.host}/a/artifact:other")["Platforms"] is None
