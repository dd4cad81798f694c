"""Ping, version, info and errors, as the docker CLI, docker-py and plain HTTP see them."""

import json

import pytest
from docker import DockerClient
from tests.api.conftest import Docker
from tests.http.serving import Answer, Service, get, post

from lading import __version__

_COMMON = {
    "api-version": "1.51",
    "docker-experimental": "false",
    "ostype": "linux",
    "server": f"Lading/{__version__} (linux)",
}


def _has_common_fields(answer: Answer) -> bool:
    return answer.fields.items() >= _COMMON.items()


@pytest.mark.parametrize("path", ["/_ping", "/v1.24/_ping", "/v1.51/_ping"])
def test_a_ping_tells_what_this_engine_speaks(service: Service, path: str) -> None:
    answer = service.ask(get(path))
    assert (answer.status, answer.body) == (200, b"OK")
    assert _has_common_fields(answer)
    expected = {
        "content-type": "text/plain; charset=utf-8",
        "builder-version": "1",
        "swarm": "inactive",
        "cache-control": "no-cache, no-store, must-revalidate",
        "pragma": "no-cache",
    }
    assert answer.fields.items() >= expected.items()
    only_head = service.ask(get(path, method="HEAD"))
    assert (only_head.status, only_head.fields) == (200, answer.fields)


def test_the_docker_cli_shows_the_engines_version(docker: Docker) -> None:
    shown = docker("version")
    assert shown.returncode == 0, shown.stderr
    server = shown.stdout.partition("Server:")[2]
    assert "Lading" in server
    assert "Version:          9.8.7" in server
    assert "API version:      1.51 (minimum version 1.24)" in server
    assert "OS/Arch:          linux/amd64" in server
    assert "Version:          1.14" in server.partition("crun:")[2]


def test_the_docker_cli_shows_the_host(docker: Docker) -> None:
    shown = docker("info")
    assert shown.returncode == 0, shown.stderr
    lines = [line.strip() for line in shown.stdout.partition("Server:")[2].splitlines()]
    for line in (
        "Containers: 7", "Running: 2", "Paused: 1", "Stopped: 4", "Images: 6", "Server Version: 9.8.7",
        "Storage Driver: overlay2", "Logging Driver: json-file", "Cgroup Driver: cgroupfs",
        "Cgroup Version: 2",
        "Volume: local", "Network: bridge host null", "Log: json-file local none", "Swarm: inactive",
        "Default Runtime: crun", "Init Binary: tini", "Profile: builtin", "Kernel Version: 6.1.0",
        "Operating System: Debian GNU/Linux 12 (bookworm)", "OSType: linux", "Architecture: x86_64",
        "CPUs: 4",
        "Total Memory: 8GiB", "Name: harbour", "ID: 5f0c", "Docker Root Dir: /srv/lading",
        "Debug Mode: false",
        "site=quay", "Live Restore Enabled: true",
    ):  # fmt: skip
        assert line in lines
    assert [line for line in shown.stderr.splitlines() if "WARN" in line] == []
    assert "something is odd here" in shown.stderr


def test_docker_py_reads_both(client: DockerClient) -> None:
    assert client.ping() is True
    version = client.version()
    assert (version["ApiVersion"], version["MinAPIVersion"]) == ("1.51", "1.24")
    assert {component["Name"] for component in version["Components"]} == {"Engine", "crun"}
    info = client.info()
    assert info["Runtimes"]["traced"] == {"path": "/usr/bin/crun", "runtimeArgs": ["--debug"]}
    assert (info["MemTotal"], info["NCPU"], info["PidsLimit"], info["OomKillDisable"]) == (
        8 * 1024**3,
        4,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("request_bytes", "status", "message"),
    [
        (get("/nowhere"), 404, "page not found"),
        (get("/v1.51/nowhere"), 404, "page not found"),
        (get("/info", method="PUT"), 404, "page not found"),
        (get("/v1.99/info"), 400, "client version 1.99 is too new. Maximum supported API version is 1.51"),
        (get("/events?since=yesterday"), 400, 'time: invalid duration "yesterday"'),
        (get("/events?filters=%7B"), 400, "invalid filter: '{' is not JSON"),
        (
            post("/containers/create", b"{}", "Content-Type: text/plain"),
            400,
            "unsupported Content-Type header (text/plain): must be 'application/json'",
        ),
        (
            post("/containers/create", b"", "Content-Type: application/json"),
            400,
            "invalid JSON: got EOF while reading request body",
        ),
    ],
)
def test_errors_come_as_docker_words_them(
    service: Service, request_bytes: bytes, status: int, message: str
) -> None:
    answer = service.ask(request_bytes)
    assert (answer.status, json.loads(answer.body)) == (status, {"message": message})
    assert answer.fields["content-type"] == "application/json"
    assert _has_common_fields(answer)


def test_a_body_beyond_the_limit_is_refused(service: Service) -> None:
    answer = service.ask(
        post("/containers/create", b" " * (17 * 1024 * 1024), "Content-Type: application/json")
    )
    assert answer.status == 413


def test_a_cli_that_is_too_new_is_told(docker: Docker) -> None:
    shown = docker("ps", version="1.77")
    assert shown.returncode == 1
    assert "client version 1.77 is too new. Maximum supported API version is 1.51" in shown.stderr
