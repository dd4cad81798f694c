"""`docker pull` and its relatives, through the clients people use."""

import gzip
import http.client
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from tests.engine.engine import Engine, wait_for
from tests.images.published import Repository, noise, on
from tests.images.rooms import configuration, digest_of, tree
from tests.registries import PASSWORD, USER, Breaking, Registry, needs_registry
from tests.web_server import Handler, serve

pytestmark = needs_registry

NewEngine = Callable[..., Engine]


@pytest.fixture
def there(registry: Registry, request: pytest.FixtureRequest) -> Repository:
    return Repository(registry, request.node.name.partition("[")[0].lower())


def _runnable(registry: Registry, engine: Engine, name: str, directory: Path) -> str:
    """Puts the starter image into a registry, as docker saves it and skopeo copies it."""
    archive = directory / "starter.tar"
    engine.docker("save", "-o", str(archive), "lading/starter")
    target = f"{registry.host}/{name}"
    _skopeo("copy", "--dest-tls-verify=false", f"docker-archive:{archive}", f"docker://{target}")
    return target


def _skopeo(*words: str) -> str:
    return subprocess.run(["skopeo", *words], check=True, capture_output=True, text=True).stdout


def _parts(engine: Engine) -> list[Path]:
    directory = engine.data_root / "content/ingest/parts"
    return sorted(directory.iterdir()) if directory.exists() else []


def _arrived(engine: Engine) -> int:
    return sum(part.stat().st_size for part in _parts(engine))


def _messages(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(text) for text in raw.split(b"\r\n") if text]


def test_docker_pulls_and_runs(engine: Engine, registry: Registry, tmp_path: Path) -> None:
    name = _runnable(registry, engine, "docker/pulls:1", tmp_path)
    said = engine.docker("pull", name).stdout.decode().splitlines()
    assert said[0] == "1: Pulling from docker/pulls"
    assert said[-2:] == [f"Status: Image is up to date for {name}", name] or said[-2:] == [
        f"Status: Downloaded newer image for {name}",
        name,
    ]
    assert engine.docker("run", "--rm", name, "echo", "pulled").stdout == b"pulled\n"
    engine.docker("rmi", name)


def test_ids_and_digests_are_those_of_skopeo(engine: Engine, registry: Registry, there: Repository) -> None:
    layers = [tree({"a": "one"}), tree({"b": "two"})]
    there.image(layers, "1")
    name = f"{registry.host}/{there.name}"
    engine.docker("pull", "-q", f"{name}:1")
    image = engine.get(f"/images/{name}:1/json")
    seen = json.loads(_skopeo("inspect", "--tls-verify=false", f"docker://{name}:1"))
    assert image["RepoDigests"] == [f"{name}@{seen['Digest']}"]
    raw = _skopeo("inspect", "--tls-verify=false", "--raw", "--config", f"docker://{name}:1")
    assert image["Id"] == digest_of(raw.encode())
    assert image["RootFS"]["Layers"] == [digest_of(layer) for layer in layers]
    engine.docker("rmi", f"{name}:1")


def test_run_pulls_what_is_missing(engine: Engine, registry: Registry, tmp_path: Path) -> None:
    name = _runnable(registry, engine, "run/pulls:1", tmp_path)
    engine.docker("rmi", name, check=False)
    done = engine.docker("run", "--rm", "--pull", "always", name, "echo", "ran")
    assert done.stdout == b"ran\n"
    engine.docker("rmi", name)


def test_docker_py_pulls_one_or_all(engine: Engine, registry: Registry, there: Repository) -> None:
    for tag in ("1", "2"):
        there.image([tree({"tag": tag})], tag)
    name = f"{registry.host}/{there.name}"
    assert engine.py.images.pull(name, tag="1").tags == [f"{name}:1"]
    images = engine.py.images.pull(name, all_tags=True)
    assert sorted(tag for image in images for tag in image.tags) == [f"{name}:1", f"{name}:2"]
    for tag in ("1", "2"):
        engine.docker("rmi", f"{name}:{tag}")


def test_a_platform_is_chosen_by_the_flag(engine: Engine, registry: Registry, there: Repository) -> None:
    images = [
        on(there.image([tree({"for": name})], architecture=name), f"linux/{name}")
        for name in ("amd64", "s390x")
    ]
    there.index(images, "1")
    name = f"{registry.host}/{there.name}:1"
    engine.docker("pull", "-q", "--platform", "linux/s390x", name)
    assert engine.get(f"/images/{name}/json")["Architecture"] == "s390x"
    engine.docker("pull", "-q", name)
    assert engine.get(f"/images/{name}/json")["Architecture"] == "amd64"
    refused = engine.docker("pull", "--platform", "linux/riscv64", name, check=False)
    assert b"no matching manifest for linux/riscv64 in the manifest list entries" in refused.stderr
    engine.docker("rmi", name)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("fromImage={}/nothing&tag=1", 404, "manifest for {}/nothing:1 not found: manifest unknown"),
        ("fromImage={}/UPPER&tag=1", 400, "must be lowercase"),
        ("fromImage={}/x&tag=1&platform=nonsense", 400, "unknown operating system or architecture"),
        ("fromImage={}/x&tag=1&platform=windows/amd64", 400, "operating system is not supported"),
        ("fromImage={}/x&tag=-", 400, "invalid tag format"),
        ("fromImage=scratch&tag=latest", 403, "'scratch' is a reserved name"),
        ("fromImage=127.0.0.1:1/x&tag=1", 500, "connect: connection refused"),
    ],
)
def test_what_fails_before_the_stream_has_a_status(
    engine: Engine, registry: Registry, query: str, status: int, said: str
) -> None:
    answered, problem = engine.api("POST", f"/images/create?{query.format(registry.host)}")
    assert answered == status, problem
    assert said.format(registry.host) in problem["message"]


def test_credentials_go_to_the_registry(engine: Engine, tmp_path: Path) -> None:
    with Registry(tmp_path / "locked", auth="htpasswd") as locked:
        name = f"{locked.host}/x"
        # Not 401, or docker would ask for a password.
        status, problem = engine.api("POST", f"/images/create?fromImage={name}&tag=1")
        assert (status, "no basic auth credentials" in problem["message"]) == (500, True), problem
        with pytest.raises(docker.errors.APIError, match="authentication required"):
            engine.py.images.pull(name, tag="1", auth_config={"username": USER, "password": "wrong"})
        with pytest.raises(docker.errors.NotFound, match="not found"):
            engine.py.images.pull(name, tag="1", auth_config={"username": USER, "password": PASSWORD})


def test_a_pull_goes_on_after_the_engine_was_killed(
    new_engine: NewEngine, there: Repository, broken: Breaking
) -> None:
    engine = new_engine()
    layer = noise(31)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "stall", after=1_500_000)
    name = f"{broken.host}/{there.name}"
    pulling = threading.Thread(target=lambda: engine.docker("pull", f"{name}:1", check=False))
    pulling.start()
    wait_for(lambda: _arrived(engine) > 1_300_000)
    engine.kill()
    pulling.join()
    left = _arrived(engine)
    engine.start()
    assert [image["RepoTags"] for image in engine.get("/images/json")] == [["lading/starter:latest"]]
    engine.docker("pull", "-q", f"{name}:1")
    ranges = [seen.headers.get("range", "") for seen in broken.matching(f"GET .*/blobs/{blob}")]
    assert ranges == ["", f"bytes={left}-"]
    assert _parts(engine) == []
    assert engine.get(f"/images/{name}:1/json")["Id"] == digest_of(configuration([layer]))


def test_a_client_that_leaves_ends_its_pull(engine: Engine, there: Repository, broken: Breaking) -> None:
    layer = noise(32)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "stall", after=700_000)
    query = f"fromImage={broken.host}/{there.name}&tag=1"
    client = engine.connect()
    client.sendall(f"POST /images/create?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert client.recv(12) == b"HTTP/1.1 200"
    wait_for(lambda: _arrived(engine) > 500_000)
    part = _parts(engine)[0]
    assert _is_open(engine, part)
    client.close()
    # Not only when the registry, which says nothing more, has been waited for long enough.
    wait_for(lambda: not _is_open(engine, part))
    assert broken.count(f"GET .*/blobs/{blob}") == 1
    engine.docker("pull", "-q", f"{broken.host}/{there.name}:1")
    assert not part.exists()
    engine.docker("rmi", f"{broken.host}/{there.name}:1")


def test_an_engine_stops_in_the_middle_of_a_pull(
    new_engine: NewEngine, there: Repository, broken: Breaking
) -> None:
    engine = new_engine()
    layer = noise(35)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "stall", after=700_000)
    name = f"{broken.host}/{there.name}:1"
    pulling = threading.Thread(target=lambda: engine.docker("pull", name, check=False))
    pulling.start()
    wait_for(lambda: _arrived(engine) > 500_000)
    assert engine.stop() == 0
    pulling.join()
    left = _arrived(engine)
    assert "Traceback" not in engine.log()
    engine.start()
    engine.docker("pull", "-q", name)
    assert [seen.headers.get("range", "") for seen in broken.matching(f"GET .*/blobs/{blob}")] == [
        *("", f"bytes={left}-")
    ]


def _is_open(engine: Engine, path: Path) -> bool:
    assert engine.process is not None
    directory = f"/proc/{engine.process.pid}/fd"
    opened = set()
    for number in os.listdir(directory):
        try:
            opened.add(os.readlink(f"{directory}/{number}"))
        except FileNotFoundError:
            continue
    return str(path) in opened


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, registry: Registry, there: Repository
) -> None:
    there.image([tree({"small": "s"}), noise(33, 40 << 20)], "1")
    engine = Engine(tmp_path / "engine")
    engine.data_root.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", engine.data_root], check=True)
    try:
        engine.start()
        name = f"{registry.host}/{there.name}:1"
        refused = engine.docker("pull", name, check=False)
        assert refused.returncode == 1
        assert b"o space left on device" in refused.stderr, refused.stderr
        assert [part for part in _parts(engine) if part.stat().st_size > 1 << 20] == []
        assert [image["RepoTags"] for image in engine.get("/images/json")] == [["lading/starter:latest"]]
        assert engine.docker("run", "--rm", "lading/starter", "echo", "well").stdout == b"well\n"
    finally:
        engine.destroy()
        subprocess.run(["umount", "-l", engine.data_root], check=False, capture_output=True)


@pytest.fixture
def web() -> Iterator[tuple[str, bytes]]:
    """A server with one archive, and where it is."""
    archive = tree({"etc/from-the-web": "yes"})

    def handle(request: Handler) -> None:
        if request.path == "/root.tar":
            request.answer(200, archive, {"Content-Type": "application/x-tar"})
        elif request.path == "/moved":
            request.answer(302, b"", {"Location": "/root.tar"})
        else:
            request.answer(404, b"no such file", {"Content-Type": "text/plain"})

    server = serve(handle)
    yield f"127.0.0.1:{server.server_port}", archive
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("source", ["http://{}/root.tar", "{}/root.tar", "http://{}/moved"])
def test_import_from_the_web(engine: Engine, web: tuple[str, bytes], source: str) -> None:
    where = source.format(web[0])
    shown = where if "://" in where else f"http://{where}"
    status, raw = engine.send("POST", f"/images/create?fromSrc={where}&repo=imported&tag=web&changes=ENV+A=b")
    messages = _messages(raw)
    assert status == 200
    assert messages[0] == {"status": f"Downloading from {shown}"}
    assert messages[-2]["status"] == "Importing"
    assert messages[-2]["progressDetail"] == {"current": len(web[1]), "total": len(web[1])}
    image = engine.get("/images/imported:web/json")
    assert messages[-1] == {"status": image["Id"]}
    assert image["RootFS"]["Layers"] == [digest_of(web[1])]
    assert (image["Comment"], image["Config"]["Env"]) == (f"Imported from {where}", ["A=b"])
    engine.docker("rmi", "imported:web")


def test_import_from_the_web_fails_as_it_should(engine: Engine, web: tuple[str, bytes]) -> None:
    for source, status, said in (
        (f"http://{web[0]}/none", 404, "no such file"),
        ("http://127.0.0.1:1/x", 500, "connection refused"),
        ("ftp://127.0.0.1/x", 400, 'unsupported protocol scheme "ftp"'),
    ):
        answered, problem = engine.api("POST", f"/images/create?fromSrc={source}&repo=never")
        assert (answered, said in problem["message"]) == (status, True), problem
    status, problem = engine.api("POST", f"/images/create?fromSrc=http://{web[0]}/root.tar&repo=NEVER")
    assert status == 400, problem


def test_docker_imports_from_the_web(engine: Engine, web: tuple[str, bytes]) -> None:
    said = engine.docker("import", f"http://{web[0]}/root.tar", "imported:cli").stdout
    assert digest_of(web[1]).encode() not in said
    assert engine.get("/images/imported:cli/json")["Id"].encode() in said
    engine.docker("rmi", "imported:cli")


def test_the_stream_is_what_docker_sends(engine: Engine, registry: Registry, there: Repository) -> None:
    there.image([noise(34)], "1")
    connection = engine.connect()
    query = f"fromImage={registry.host}/{there.name}&tag=1"
    connection.sendall(
        f"POST /v1.44/images/create?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
    )
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "application/json")
    raw = answer.read()
    assert raw.endswith(b"}\r\n")
    downloading = [text for text in _messages(raw) if text["status"] == "Downloading"]
    assert set(downloading[-1]) == {"status", "progressDetail", "progress", "id"}
    connection.close()
    engine.docker("rmi", f"{registry.host}/{there.name}:1")
