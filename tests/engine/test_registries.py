"""Logging in and searching, as docker's clients do it, and the daemon's settings for registries."""

import base64
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker.errors
import pytest
from tests.distribution.parcels import give
from tests.engine.engine import IMAGE, Engine, docker_cli, wait_for
from tests.registries import (
    PASSWORD,
    USER,
    Breaking,
    Registry,
    TokenServer,
    free_port,
    needs_registry,
)

from lading.distribution import Registries
from lading.oci.image import CONFIG, LAYER, MANIFEST


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    with TokenServer(tmp_path_factory.mktemp("tokens")) as server:
        yield server


@pytest.fixture(scope="module")
def ticketed(tmp_path_factory: pytest.TempPathFactory, tokens: TokenServer) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("ticketed"), auth=tokens) as registry:
        yield registry


@pytest.fixture
def index() -> Iterator[Breaking]:
    """A registry that can be searched, and does nothing else."""
    with Breaking() as index:
        yield index


def _results(*entries: tuple[str, int, bool]) -> bytes:
    found = [
        {"name": name, "description": f"what {name} is", "star_count": stars, "is_official": official}
        for name, stars, official in entries
    ]
    return json.dumps({"num_results": len(found), "results": found}).encode()


@needs_registry
def test_docker_login(engine: Engine, ticketed: Registry, tmp_path: Path) -> None:
    done = engine.docker(
        "--config",
        str(tmp_path),
        "login",
        "-u",
        USER,
        "--password-stdin",
        ticketed.host,
        input=PASSWORD.encode(),
    )
    assert b"Login Succeeded" in done.stdout
    kept = json.loads((tmp_path / "config.json").read_text())["auths"][ticketed.host]
    assert kept["identitytoken"] == f"identity-of-{USER}"


@needs_registry
def test_docker_login_with_a_wrong_password(engine: Engine, ticketed: Registry, tmp_path: Path) -> None:
    done = engine.docker(
        "--config",
        str(tmp_path),
        "login",
        "-u",
        USER,
        "--password-stdin",
        ticketed.host,
        input=b"wrong",
        check=False,
    )
    assert done.returncode == 1
    assert (
        done.stderr.decode()
        .strip()
        .endswith(
            f'Error response from daemon: Get "http://{ticketed.host}/v2/": '
            "unauthorized: incorrect username or password"
        )
    )


@needs_registry
def test_docker_py_login(engine: Engine, ticketed: Registry) -> None:
    assert engine.py.login(USER, PASSWORD, registry=ticketed.host)["Status"] == "Login Succeeded"
    with pytest.raises(docker.errors.APIError) as caught:
        engine.py.login(USER, "wrong", registry=ticketed.host, reauth=True)
    assert caught.value.status_code == 401


@needs_registry
def test_docker_pushes_and_pulls_what_only_ada_may(
    engine: Engine, ticketed: Registry, tmp_path: Path
) -> None:
    name = f"{ticketed.host}/ada/starter:v1"
    config = ("--config", str(tmp_path))
    engine.docker("tag", IMAGE, name)
    refused = engine.docker("push", name, check=False)
    assert refused.returncode == 1
    assert b"denied: requested access to the resource is denied" in refused.stderr
    engine.docker(*config, "login", "-u", USER, "--password-stdin", ticketed.host, input=PASSWORD.encode())
    pushed = engine.docker(*config, "push", name)
    engine.docker("rmi", name)
    refused = engine.docker("pull", name, check=False)
    assert f"pull access denied for {ticketed.host}/ada/starter" in refused.stderr.decode()
    pulled = engine.docker(*config, "pull", name)
    digest = pulled.stdout.decode().partition("Digest: ")[2].split()[0]
    assert digest in pushed.stdout.decode()
    assert engine.docker("image", "inspect", "-f", "{{.Id}}", name).stdout == (
        engine.docker("image", "inspect", "-f", "{{.Id}}", IMAGE).stdout
    )
    engine.docker("rmi", name)


@needs_registry
def test_a_mirror_stands_for_docker_hub(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    with Registry(tmp_path / "registry") as registry:
        engine = new_engine(
            f"--registry-mirror=http://127.0.0.1:{free_port()}", f"--registry-mirror={registry.url}"
        )
        engine.docker("tag", IMAGE, f"{registry.host}/library/mirrored:v1")
        engine.docker("push", f"{registry.host}/library/mirrored:v1")
        engine.docker("rmi", f"{registry.host}/library/mirrored:v1")
        said = engine.docker("pull", "mirrored:v1").stdout.decode()
        assert "v1: Pulling from library/mirrored" in said
        assert said.splitlines()[-1] == "docker.io/library/mirrored:v1"
        assert engine.docker("run", "--rm", "mirrored:v1", "echo", "hello").stdout == b"hello\n"


def test_login_where_nobody_is(engine: Engine) -> None:
    status, answer = engine.api(
        "POST", "/auth", {"username": "a", "password": "b", "serveraddress": "127.0.0.1:1"}
    )
    assert status == 500
    assert (
        answer["message"] == 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    )


def test_docker_search(engine: Engine, index: Breaking) -> None:
    body = _results(("engine", 9, True), ("ada/engine", 3, False))
    index.fail("GET /v1/search.q=engine&n=25$", "status", status=200, body=body, times=3)
    term = f"{index.host}/engine"
    shown = engine.docker("search", "--format", "{{.Name}} {{.StarCount}} {{.IsOfficial}}", term)
    assert shown.stdout.decode().splitlines() == ["engine 9 [OK]", "ada/engine 3 "]
    official = engine.docker("search", "-f", "is-official=false", "--format", "{{.Name}}", term)
    assert official.stdout.decode().split() == ["ada/engine"]
    starred = engine.docker("search", "-f", "stars=4", "--format", "{{.Name}}", term)
    assert starred.stdout.decode().split() == ["engine"]


def test_a_search_says_who_asks(engine: Engine, index: Breaking) -> None:
    index.fail("GET /v1/search", "status", status=200, body=_results(), times=3)
    who = json.dumps({"username": USER, "password": PASSWORD}).encode()
    for said in (base64.urlsafe_b64encode(who).decode(), "no base64 at all!", ""):
        api = engine.py.api
        answer = api.get(
            f"{api.base_url}/images/search",
            params={"term": f"{index.host}/x"},
            headers={"X-Registry-Auth": said} if said else {},
        )
        assert answer.json() == []
    first, *others = [seen.headers.get("authorization") for seen in index.seen]
    assert base64.b64decode(str(first).removeprefix("Basic ")).decode() == f"{USER}:{PASSWORD}"
    assert others == [None, None]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=101", "limit 101 is outside the range of [1, 100]"),
        ("limit=-1", "limit -1 is outside the range of [1, 100]"),
        ("limit=many", 'invalid value "many" for parameter limit: a whole number is needed'),
        (
            'filters={"stars":["many"]}',
            "invalid filter 'stars=many': strconv.Atoi: parsing \"many\": invalid syntax",
        ),
        ('filters={"colour":["red"]}', "invalid filter 'colour'"),
    ],
)
def test_searches_that_cannot_be(engine: Engine, query: str, message: str) -> None:
    assert engine.api("GET", f"/images/search?term=x&{query}") == (400, {"message": message})


def test_info_tells_of_registries_and_a_reload_changes_them(
    new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = new_engine(
        "--registry-mirror=http://127.0.0.1:1",
        "--http-proxy=http://ada:secret@127.0.0.1:2",
        "--no-proxy=x.example",
    )
    info = engine.get("/info")
    assert info["RegistryConfig"]["Mirrors"] == ["http://127.0.0.1:1/"]
    assert info["RegistryConfig"]["IndexConfigs"]["docker.io"]["Mirrors"] == ["http://127.0.0.1:1/"]
    assert (info["HttpProxy"], info["NoProxy"]) == ("http://xxxxx:xxxxx@127.0.0.1:2", "x.example")
    (engine.directory / "daemon.json").write_text(
        '{"insecure-registries": ["10.9.0.0/16", "reg.example:5000"]}'
    )
    assert engine.process is not None
    engine.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "10.9.0.0/16" in engine.get("/info")["RegistryConfig"]["InsecureRegistryCIDRs"])
    config = engine.get("/info")["RegistryConfig"]
    assert config["InsecureRegistryCIDRs"] == ["10.9.0.0/16", "::1/128", "127.0.0.0/8"]
    assert config["IndexConfigs"]["reg.example:5000"]["Secure"] is False
    assert config["Mirrors"] == ["http://127.0.0.1:1/"]


@needs_registry
def test_a_reload_lets_more_layers_come_at_a_time(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine()
    with Registry(tmp_path / "registry") as registry, Breaking(registry) as front:
        layers = _push_three_layers(registry)
        config = engine.directory / "daemon.json"
        _reload(engine, config, {"max-concurrent-downloads": 1, "labels": ["at=1"]})
        wanted = "GET .*/blobs/(" + "|".join(layers) + ")"
        front.fail(wanted, "hold", times=9)
        pulling = subprocess.Popen(
            [docker_cli(), "pull", f"{front.host}/x:v1"],
            env=engine.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: front.count(wanted))
            assert front.count(wanted) == 1
            _reload(engine, config, {"max-concurrent-downloads": 3, "labels": ["at=3"]})
            wait_for(lambda: front.count(wanted) == 3)
        finally:
            pulling.kill()
            pulling.wait()


def _reload(engine: Engine, config: Path, content: dict[str, object]) -> None:
    config.write_text(json.dumps(content))
    assert engine.process is not None
    engine.process.send_signal(signal.SIGHUP)
    wait_for(lambda: engine.get("/info")["Labels"] == content["labels"])


def _push_three_layers(registry: Registry) -> list[str]:
    repository = Registries().repository(registry.host, "x", push=True)
    layers = [give(repository, bytes([number]) * 1000) for number in range(3)]
    config = give(
        repository,
        b'{"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": %s}}'
        % (json.dumps([layer.digest for layer in layers]).encode()),
    )
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size} for layer in layers],
    }
    repository.put_manifest("v1", json.dumps(document).encode(), MANIFEST)
    return [layer.digest for layer in layers]
