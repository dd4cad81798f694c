"""Bad input gets a clear error, and nothing is lost, left behind or logged as a fault of the engine."""

import contextlib
import http.client
import io
import json
import os
import re
import tarfile
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import docker.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.census import Census, take
from tests.engine.engine import IMAGE, Engine, since_cli, wait_for

ENDLESS = "9" * 5000
"""More digits than Python turns into a number."""

CREATE = "/containers/create"


@pytest.fixture(autouse=True)
def no_fault(engine: Engine) -> Iterator[None]:
    """Each test here fails if the daemon died, or logged a traceback."""
    log = engine.directory / "log"
    start = log.stat().st_size
    yield
    assert engine.get("/_ping") == b"OK"
    with open(log, "rb") as file:
        file.seek(start)
        assert b"Traceback" not in file.read()


def _refused(engine: Engine, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and message of a call that has to fail with an error body."""
    status, answer = engine.api(method, path, body)
    assert isinstance(answer, dict), (status, answer)
    assert list(answer) == ["message"]
    assert answer["message"]
    return status, answer["message"]


def _created(engine: Engine, **body: Any) -> str:
    status, made = engine.create(**{"Cmd": ["sleep", "1000"], **body})
    assert status == 201, made
    return str(made["Id"])


def _running(engine: Engine, **body: Any) -> str:
    container = _created(engine, **body)
    assert engine.api("POST", f"/containers/{container}/start")[0] == 204
    return container


def _kept(engine: Engine) -> tuple[Census, list[str], list[str]]:
    """What the engine holds on its machine: of containers, of content, and its images."""
    content = (engine.data_root / "content").rglob("*")
    images = [image["Id"] for image in engine.get("/images/json?all=1")]
    return take(engine), sorted(str(path) for path in content if not path.is_dir()), images


def _at_rest(engine: Engine) -> tuple[Census, list[str], list[str]]:
    """The same, once what earlier tests left behind is cleared away."""
    wait_for(lambda: take(engine) == _NOTHING)
    return _kept(engine)


_NOTHING = Census(
    mounted_roots=frozenset(),
    container_directories=frozenset(),
    bundles=frozenset(),
    oci_containers=frozenset(),
    cgroups=frozenset(),
    links=0,
    published=0,
    writable_snapshots=frozenset(),
    endpoints=frozenset(),
    leases=0,
)


# --- images and their names


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("no-such", 404, "No such image: no-such:latest"),
        ("no/such:1.0", 404, "No such image: no/such:1.0"),
        ("sha256:" + "0" * 64, 404, "No such image: sha256:" + "0" * 64),
        (f"x@sha256:{'0' * 64}", 404, f"No such image: x@sha256:{'0' * 64}"),
        ("Upper", 400, "invalid reference format: repository name (library/Upper) must be lowercase"),
        ("a:b:c", 400, "invalid reference format"),
        ("x@sha256:12", 400, "invalid reference format"),
        ("a//b", 400, "invalid reference format"),
        ("é", 400, "invalid reference format"),
        ("\udc80", 400, "invalid reference format"),
    ],
)
def test_images_that_are_not_there(engine: Engine, name: str, status: int, message: str) -> None:
    path = quote(name, errors="surrogateescape")
    for method, address in (
        ("GET", f"/images/{path}/json"),
        ("GET", f"/images/{path}/history"),
        ("POST", f"/images/{path}/tag?repo=x"),
        ("DELETE", f"/images/{path}"),
    ):
        assert _refused(engine, method, address) == (status, message)
    if name.isascii():
        assert _refused(engine, "POST", CREATE, {"Image": name}) == (status, message)


def test_names_that_cannot_be_given(engine: Engine) -> None:
    for query, message in (
        ("", "invalid reference format"),
        ("repo=UP", "must be lowercase"),
        ("repo=x&tag=a:b", "invalid tag format"),
        (f"repo=x&tag={'a' * 129}", "invalid tag format"),
        (f"repo={'0' * 64}", "cannot specify 64-byte hexadecimal strings"),
        (f"repo={'a' * 300}", "must not be more than 255 characters"),
    ):
        status, said = _refused(engine, "POST", f"/images/{IMAGE}/tag?{query}")
        assert (status, message in said) == (400, True), said
    assert [image["RepoTags"] for image in engine.get("/images/json")] == [[f"{IMAGE}:latest"]]


@since_cli(25)
def test_what_the_docker_command_says(engine: Engine) -> None:
    for words, code, said in (
        (("create", "--pull=never", "no-such"), 1, "No such image: no-such:latest"),
        (("run", "--pull=never", "no-such"), 125, "No such image: no-such:latest"),
        (("run", "--name", "-x", IMAGE), 125, "Invalid container name (-x)"),
        (
            ("run", "-v", "a b:/x", IMAGE),
            125,
            "includes invalid characters for a local volume name",
        ),
        (
            ("run", "--mount", "type=bind,source=/no/such,target=/x", IMAGE),
            125,
            'invalid mount config for type "bind": bind source path does not exist: /no/such',
        ),
        (("run", "--user", "nosuch", IMAGE), 125, "unable to find user nosuch: no matching entries"),
        (("run", "--network", "nosuch", IMAGE), 125, "network nosuch not found"),
        (("run", "--network", "container:nosuch", IMAGE), 125, "No such container: nosuch"),
        (("run", "--stop-signal", "NOPE", IMAGE), 125, "Invalid signal: NOPE"),
        (("run", "--memory", "1k", IMAGE), 125, "Minimum memory limit allowed is 6MB"),
        (("run", "--log-driver", "nosuch", IMAGE), 125, "no log driver named 'nosuch' is registered"),
        (("run", "--cap-add", "NOPE", IMAGE), 125, "NOPE"),
        (("run", IMAGE, "no-such-command"), 127, "no-such-command"),
        (("run", IMAGE, "/etc/passwd"), 126, "permission denied"),
        (("logs", "nosuch"), 1, "No such container: nosuch"),
        (("exec", "nosuch", "true"), 1, "No such container: nosuch"),
        (("rm", "nosuch"), 1, "No such container: nosuch"),
        (("rmi", "nosuch"), 1, "No such image: nosuch:latest"),
        (("ps", "--filter", "nosuch=1"), 1, "invalid filter 'nosuch'"),
        (("events", "--filter", "nosuch=1"), 1, "invalid filter 'nosuch'"),
    ):
        done = engine.docker(*words, check=False)
        assert (done.returncode, said in done.stderr.decode()) == (code, True), (words, done.stderr.decode())
        engine.remove_containers()


# --- bodies


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "got EOF while reading request body"),
        (b"{", "invalid JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b'"text"', "Expected `object`, got `str`"),
        (b'{"Image": 1}', "$.Image"),
        (b'{"Image": "x", "Cmd": [1]}', "$.Cmd[0]"),
        (b'{"Image": "x", "Env": "A=1"}', "$.Env"),
        (b'{"Image": "x", "HostConfig": []}', "$.HostConfig"),
        (b'{"Image": "x", "HostConfig": {"Memory": "1g"}}', "$.HostConfig.Memory"),
        (b'{"Image": "x", "HostConfig": {"Memory": 9223372036854775808}}', "64 bits"),
        (b'{"Image": "x", "StopTimeout": %b}' % ENDLESS.encode(), "out of range"),
        (b'{"Image": "x", "StopTimeout": 1.5}', "$.StopTimeout"),
        (b'{"Image": "x"} trailing', "trailing characters"),
        (b'{"Image": "\xff"}', "invalid JSON"),
        (b'{"Image": "\\ud800"}', "invalid JSON"),
        (b'{"Image": "a\\u0000b"}', "NUL"),
        (b'{"a":' * 100_000, "recursion"),
        (b'{"Image": "x", "HostConfig": null, "Cmd": null, "Unknown": 1}', "No such image: x:latest"),
    ],
)
def test_bodies_that_cannot_be_read(engine: Engine, body: bytes, message: str) -> None:
    status, raw = engine.send("POST", CREATE, body)
    assert status == (404 if "No such" in message else 400)
    assert message in json.loads(raw)["message"]


def test_bodies_that_are_no_json_or_too_large(engine: Engine) -> None:
    status, raw = engine.send("POST", CREATE, b"{}", kind="text/plain")
    assert (status, "text/plain" in json.loads(raw)["message"]) == (400, True)
    status, raw = engine.send("POST", CREATE, b'{"Image": "%b"}' % (b"x" * (17 << 20)))
    assert status == 413
    assert "larger than the 16777216 bytes" in json.loads(raw)["message"]
    with engine.connect() as connection:
        connection.sendall(f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nX: {'x' * 2_000_000}\r\n\r\n".encode())
        assert b" 431 " in connection.recv(4096)


# --- paths and parameters


def test_versions_and_pages_that_are_not_there(engine: Engine) -> None:
    for version, message in (
        ("9.99", "client version 9.99 is too new. Maximum supported API version is 1.51"),
        ("1.5", "client version 1.5 is too old. Minimum supported API version is 1.24, "),
        ("2", "client version 2 is too new"),
    ):
        status, said = _refused(engine, "GET", f"/v{version}/info")
        assert (status, said.startswith(message)) == (400, True), said
    for method, path in (
        ("GET", "/nosuch"),
        ("PUT", "/info"),
        ("GET", f"/v{ENDLESS}.1/info"),
        ("GET", "/vx/info"),
        ("GET", "/containers/x/nosuch"),
        ("GET", "/containers/..%2f..%2finfo/json"),
    ):
        assert _refused(engine, method, path) == (404, "page not found")


@pytest.mark.parametrize("name", ["x", "-x", "a b", "a/b", "//x", "é", "..", "a\n", "\udcff"])
def test_bad_container_names(engine: Engine, name: str) -> None:
    shown = name.encode(errors="surrogateescape").decode(errors="replace")
    told = (400, f"Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    query = quote(name, safe="", errors="surrogateescape")
    assert _refused(engine, "POST", f"{CREATE}?name={query}", {"Image": IMAGE}) == told
    container = _created(engine)
    assert _refused(engine, "POST", f"/containers/{container}/rename?name={query}") == told


def test_names_that_are_taken(engine: Engine) -> None:
    holder = engine.py.containers.create(IMAGE, name="taken").id
    with pytest.raises(docker.errors.APIError) as failure:
        engine.py.containers.create(IMAGE, name="taken")
    told = (
        f'Conflict. The container name "/taken" is already in use by container "{holder}". '
        "You have to remove (or rename) that container to be able to reuse that name."
    )
    assert (failure.value.status_code, failure.value.explanation) == (409, told)
    other = _created(engine)
    assert _refused(engine, "POST", f"/containers/{other}/rename?name=taken") == (409, told)
    status, said = _refused(engine, "POST", f"/containers/{other}/rename")
    assert (status, said) == (400, "Neither old nor new names may be empty")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/json"),
        ("GET", "/logs?stdout=1"),
        ("POST", "/attach?stream=1"),
        ("POST", "/wait"),
        ("POST", "/start"),
        ("POST", "/stop"),
        ("POST", "/restart"),
        ("POST", "/kill"),
        ("POST", "/rename?name=other"),
        ("POST", "/resize?h=1&w=1"),
        ("DELETE", ""),
    ],
)
def test_containers_that_are_not_there(engine: Engine, method: str, path: str) -> None:
    assert _refused(engine, method, f"/containers/nosuch{path}") == (404, "No such container: nosuch")
    status, said = _refused(engine, method, f"/containers/%ff{path}")
    assert (status, said) == (404, "No such container: \N{REPLACEMENT CHARACTER}")


def test_other_things_that_are_not_there(engine: Engine) -> None:
    for method, path, message in (
        ("POST", "/exec/nosuch/start", "No such exec instance: nosuch"),
        ("GET", "/exec/nosuch/json", "No such exec instance: nosuch"),
        ("POST", "/exec/nosuch/resize?h=1&w=1", "No such exec instance: nosuch"),
        ("GET", "/networks/nosuch", "network nosuch not found"),
        ("GET", "/volumes/nosuch", "get nosuch: no such volume"),
        ("DELETE", "/volumes/nosuch", "get nosuch: no such volume"),
    ):
        assert _refused(engine, method, path) == (404, message)
    body = {"Cmd": ["true"]}
    assert _refused(engine, "POST", "/containers/nosuch/exec", body) == (404, "No such container: nosuch")


# --- what a container may be


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (
            {"Binds": ["./rel:/x"]},
            'create ./rel: "./rel" includes invalid characters for a local volume name',
        ),
        ({"Binds": ["a:b:c:d"]}, "invalid volume specification: 'a:b:c:d'"),
        ({"Binds": ["/a:/b:nosuch"]}, "invalid mode: nosuch"),
        ({"Binds": ["/tmp:rel"]}, "invalid mount path: 'rel' mount path must be absolute"),
        ({"Binds": ["/tmp:/"]}, "invalid specification: destination can't be '/'"),
        ({"Binds": ["/tmp:/x", "/etc:/x"]}, "Duplicate mount point: /x"),
        ({"Binds": [f"{'v' * 300}:/x"]}, "volume name is too long"),
        (
            {"Mounts": [{"Type": "bind", "Source": "/no/such", "Target": "/x"}]},
            'invalid mount config for type "bind": bind source path does not exist: /no/such',
        ),
        (
            {"Mounts": [{"Type": "bind", "Target": "/x"}]},
            'invalid mount config for type "bind": field Source must not be empty',
        ),
        (
            {"Mounts": [{"Type": "nosuch", "Target": "/x"}]},
            'invalid mount config for type "nosuch": mount type unknown',
        ),
        ({"Mounts": [{}]}, "field Target must not be empty"),
        ({"Tmpfs": {"rel": ""}}, "invalid mount path: 'rel' mount path must be absolute"),
        ({"PortBindings": {"80/tcp": [{"HostPort": "x"}]}}, "invalid hostPort: x"),
        ({"PortBindings": {"80/tcp": [{"HostPort": "99999"}]}}, "invalid hostPort: 99999"),
        ({"PortBindings": {"80/tcp": [{"HostPort": ENDLESS}]}}, "invalid hostPort: 999"),
        ({"PortBindings": {"80/tcp": [{"HostIp": "x", "HostPort": "0"}]}}, "invalid hostIP: x"),
        ({"PortBindings": {"80/nosuch": []}}, "invalid port specification: '80/nosuch'"),
        ({"PortBindings": {"0": []}}, "invalid port specification: '0'"),
        ({"PortBindings": {ENDLESS: []}}, "invalid port specification: '999"),
        ({"PortBindings": {"\N{ARABIC-INDIC DIGIT THREE}": []}}, "invalid port specification"),
        ({"ExtraHosts": ["x"]}, 'bad format for add-host: "x"'),
        ({"ExtraHosts": ["x:nosuch"]}, 'invalid IP address in add-host: "nosuch"'),
        ({"RestartPolicy": {"Name": "nosuch"}}, "invalid restart policy: unknown policy 'nosuch'"),
        (
            {"RestartPolicy": {"Name": "always"}, "AutoRemove": True},
            "can't create 'AutoRemove' container with restart policy",
        ),
        ({"LogConfig": {"Type": "nosuch"}}, "logger: no log driver named 'nosuch' is registered"),
        ({"LogConfig": {"Type": "json-file", "Config": {"max-size": ENDLESS}}}, "invalid size: '999"),
        ({"LogConfig": {"Type": "json-file", "Config": {"max-file": ENDLESS}}}, "value out of range"),
        ({"ConsoleSize": [1]}, "invalid ConsoleSize"),
        ({"ConsoleSize": [-1, 1 << 40]}, "invalid ConsoleSize"),
        ({"CgroupParent": "a\nb"}, "invalid cgroup parent 'a\\nb'"),
        ({"Runtime": "nosuch"}, "unknown or invalid runtime name: nosuch"),
        ({"VolumesFrom": [""]}, "volumes-from specification cannot be an empty string"),
    ],
)
def test_bad_host_configurations(engine: Engine, host: dict[str, Any], message: str) -> None:
    volumes = engine.get("/volumes")
    status, said = _refused(engine, "POST", CREATE, {"Image": IMAGE, "HostConfig": host})
    assert (status, message in said) == (400, True), said
    wait_for(lambda: take(engine) == _NOTHING)
    assert engine.get("/volumes") == volumes


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"WorkingDir": "rel"}, "the working directory 'rel' is invalid, it needs to be an absolute path"),
        ({"StopSignal": "NOPE"}, "Invalid signal: NOPE"),
        ({"StopSignal": ENDLESS}, "Invalid signal: 999"),
        ({"StopSignal": "SIGRTMIN+" + ENDLESS}, "Invalid signal: SIGRTMIN+999"),
        ({"StopSignal": "SIGRTMIN+x"}, "Invalid signal: SIGRTMIN+x"),
        ({"Env": ["=x"]}, "invalid environment variable: =x"),
        ({"ExposedPorts": {"1-99999999": {}}}, "invalid port specification"),
        ({"MacAddress": "x"}, "invalid MAC address: x"),
        ({"Healthcheck": {"Interval": 5}}, "Interval in Healthcheck cannot be less than 1ms"),
        ({"Entrypoint": [""]}, "no command specified"),
    ],
)
def test_bad_configurations(engine: Engine, config: dict[str, Any], message: str) -> None:
    status, said = _refused(engine, "POST", CREATE, {"Image": IMAGE, **config})
    assert (status, message in said) == (400, True), said
    assert engine.get("/containers/json?all=1") == []


def test_what_only_the_start_can_see(engine: Engine) -> None:
    for body, status, message in (
        ({"User": "nosuch"}, 400, "unable to find user nosuch: no matching entries in passwd file"),
        ({"User": "0:nosuch"}, 400, "unable to find group nosuch: no matching entries in group file"),
        ({"User": "-1"}, 400, "uids and gids must be in range"),
        ({"HostConfig": {"NetworkMode": "container:nosuch"}}, 404, "No such container: nosuch"),
        ({"HostConfig": {"PidMode": "container:nosuch"}}, 404, "No such container: nosuch"),
        ({"Cmd": ["no-such-command"]}, 400, "no-such-command"),
        (
            {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "192.0.2.1", "HostPort": "0"}]}}},
            500,
            "cannot assign requested address",
        ),
    ):
        container = _created(engine, **body)
        code, said = _refused(engine, "POST", f"/containers/{container}/start")
        assert (code, message in said) == (status, True), said
        state = engine.get(f"/containers/{container}/json")["State"]
        assert (state["Status"], message in state["Error"]) == ("created", True)
        assert engine.api("DELETE", f"/containers/{container}")[0] == 204
    wait_for(lambda: take(engine) == _NOTHING)


def test_a_cgroup_parent_cannot_lead_out_of_the_control_groups(engine: Engine) -> None:
    before = os.listdir("/sys/fs/cgroup")
    container = _running(engine, HostConfig={"CgroupParent": "/lading/../.."})
    assert os.listdir("/sys/fs/cgroup") == before
    assert engine.api("DELETE", f"/containers/{container}?force=1")[0] == 204


# --- the wrong moment, the wrong parameter


def test_the_wrong_moment(engine: Engine) -> None:
    container = _running(engine, name="moment")
    name = engine.get(f"/containers/{container}/json")["Name"]
    assert engine.api("POST", f"/containers/{container}/start") == (304, b"")
    assert _refused(engine, "DELETE", f"/containers/{container}") == (
        409,
        f'cannot remove container "{name}": container is running: '
        "stop the container before removing or force remove",
    )
    assert engine.api("POST", f"/containers/{container}/stop?t=0")[0] == 204
    assert engine.api("POST", f"/containers/{container}/stop") == (304, b"")
    assert _refused(engine, "POST", f"/containers/{container}/kill") == (
        409,
        f"cannot kill container: {name[1:]}: container {container} is not running",
    )
    for path, body in (("exec", {"Cmd": ["true"]}), ("resize?h=1&w=1", None)):
        status, said = _refused(engine, "POST", f"/containers/{container}/{path}", body)
        assert (status, said) == (409, f"container {container} is not running")


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("POST", "kill?signal=NOPE", "Invalid signal: NOPE"),
        ("POST", "kill?signal=0", "Invalid signal: 0"),
        ("POST", f"kill?signal={ENDLESS}", "Invalid signal: 999"),
        ("POST", "stop?signal=NOPE", "Invalid signal: NOPE"),
        ("POST", "restart?signal=NOPE", "Invalid signal: NOPE"),
        ("POST", "stop?t=soon", 'invalid value "soon" for parameter t'),
        ("POST", f"stop?t={ENDLESS}", "for parameter t: a whole number is needed"),
        ("POST", "wait?condition=nosuch", 'invalid condition: "nosuch"'),
        ("POST", "attach", "you must choose at least one"),
        ("POST", "attach?stream=1&detachKeys=ctrl-", "Invalid escape keys (ctrl-) provided"),
        ("POST", "resize", "h and w must be whole numbers"),
        ("POST", "resize?h=x&w=1", 'invalid value "x" for parameter h'),
        ("POST", "resize?h=-1&w=1", "h and w must be whole numbers"),
        ("POST", f"resize?h=1&w={1 << 40}", "h and w must be whole numbers"),
        ("GET", "logs", "you must choose at least one stream"),
        ("GET", "logs?stdout=1&since=soon", 'invalid duration "soon"'),
        ("GET", f"logs?stdout=1&since={ENDLESS}", "invalid duration"),
        ("GET", f"logs?stdout=1&until={ENDLESS}h", "invalid duration"),
        ("GET", "logs?stdout=1&since=0001-01-01", "parsing time"),
    ],
)
def test_bad_parameters_change_nothing(engine: Engine, method: str, path: str, message: str) -> None:
    container = _running(engine)
    status, said = _refused(engine, method, f"/containers/{container}/{path}")
    assert (status, message in said) == (400, True), said
    assert engine.get(f"/containers/{container}/json")["State"]["Status"] == "running"


def test_odd_parameters_that_docker_accepts(engine: Engine) -> None:
    container = _running(
        engine, Cmd=["sh", "-c", "trap 'exit 3' TERM; echo line; while :; do sleep 0.01; done"]
    )
    wait_for(lambda: b"line" in engine.send("GET", f"/containers/{container}/logs?stdout=1")[1])
    for query in ("tail=nosuch", "tail=-5", f"tail={ENDLESS}", "until=99999999999999", "since=-5"):
        assert engine.send("GET", f"/containers/{container}/logs?stdout=1&{query}")[1][8:] == b"line\n"
    for query in (f"since={10**16}", "until=1"):
        assert engine.send("GET", f"/containers/{container}/logs?stdout=1&{query}") == (200, b"")
    # Without a terminal there is nothing to resize, which docker takes for done.
    assert engine.api("POST", f"/containers/{container}/resize?h=0&w=0")[0] == 200
    assert engine.api("POST", f"/containers/{container}/stop?t=-5")[0] == 204
    assert engine.get(f"/containers/{container}/json")["State"]["ExitCode"] == 3


def test_bad_execs(engine: Engine) -> None:
    container = _running(engine)
    for body, message in (
        ({}, "No exec command specified"),
        ({"Cmd": []}, "No exec command specified"),
        ({"Cmd": "true"}, "$.Cmd"),
        ({"Cmd": ["true"], "DetachKeys": "ctrl-"}, "Invalid escape keys (ctrl-) provided"),
        ({"Cmd": ["true"], "Tty": True, "ConsoleSize": [1, 1 << 40]}, "invalid ConsoleSize"),
    ):
        status, said = _refused(engine, "POST", f"/containers/{container}/exec", body)
        assert (status, message in said) == (400, True), said
    command = engine.api("POST", f"/containers/{container}/exec", {"Cmd": ["true"], "Tty": True})[1]["Id"]
    starts: list[tuple[Any, str]] = [
        ([], "Expected `object`"),
        ({"Detach": 1}, "$.Detach"),
        ({"ConsoleSize": [1]}, "invalid ConsoleSize"),
    ]
    for start, message in starts:
        status, said = _refused(engine, "POST", f"/exec/{command}/start", start)
        assert (status, message in said) == (400, True), said
    # It was refused, not used up.
    assert engine.api("POST", f"/exec/{command}/start", {"Detach": True})[0] == 200
    wait_for(lambda: engine.get(f"/exec/{command}/json")["ExitCode"] == 0)
    assert _refused(engine, "POST", f"/exec/{command}/start") == (
        409,
        f"Error: Exec command {command} has already run",
    )
    assert _refused(engine, "POST", f"/exec/{command}/resize?h=1&w=1")[0] == 409


@pytest.mark.parametrize("path", ["/containers/json", "/images/json", "/networks", "/volumes", "/events"])
def test_bad_filters(engine: Engine, path: str) -> None:
    for filters, message in (
        ("{", "is not JSON"),
        ("[]", "a JSON object is needed"),
        ('{"label": 1}', "a list of strings is needed"),
        ('{"label": [1]}', "a list of strings is needed"),
        ('{"nosuch": ["x"]}', "invalid filter 'nosuch'"),
        ('{"\\ud800": ["x"]}', "invalid filter"),
        ('{"label":' * 3000, "is not JSON"),
    ):
        status, said = _refused(engine, "GET", f"{path}?filters={quote(filters)}")
        assert (status, message in said) == (400, True), said


def test_bad_values_of_filters(engine: Engine) -> None:
    published = {"PortBindings": {"80/tcp": [{"HostPort": ""}]}}
    _running(engine, ExposedPorts={"80/tcp": {}}, HostConfig=published)
    for path, key, value, expected in (
        ("/containers/json", "status", "nosuch", 400),
        ("/containers/json", "status", "\ud800", 400),
        ("/containers/json", "exited", "x", 400),
        ("/containers/json", "exited", ENDLESS, 400),
        ("/containers/json", "health", "nosuch", 400),
        ("/containers/json", "is-task", "perhaps", 400),
        ("/containers/json", "publish", "x", 400),
        ("/containers/json", "publish", ENDLESS, 400),
        ("/containers/json", "expose", "1-99999999999", 400),
        ("/containers/json", "before", "nosuch", 404),
        ("/containers/json", "since", "\ud800", 404),
        ("/images/json", "dangling", "perhaps", 400),
        ("/images/json", "reference", "[", 400),
        ("/images/json", "until", ENDLESS, 400),
        ("/images/json", "before", "nosuch", 404),
        ("/networks", "type", "nosuch", 400),
    ):
        query = quote(json.dumps({key: [value]}))
        assert _refused(engine, "GET", f"{path}?filters={query}")[0] == expected, (key, value[:20])
    for key, value, found in (
        ("ancestor", "Not:A:Name", 0),
        ("name", "(((", 0),
        ("label", "nosuch", 0),
        ("publish", "1-65535", 1),
        ("publish", "80", 1),
        ("publish", "80/udp", 0),
        ("expose", "79-81/tcp", 1),
    ):
        query = quote(json.dumps({key: [value]}))
        assert len(engine.get(f"/containers/json?filters={query}")) == found, (key, value)


# --- archives


def _archive(**files: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


BROKEN = {
    "truncated": _archive(big=b"x" * 10_000)[:4000],
    "garbage": b"garbage " * 1000,
    "gzip": b"\x1f\x8b\x08\0garbage" * 200,
    "bzip2": b"BZh9" + b"x" * 600,
    "xz": b"\xfd7zXZ\0" + b"x" * 600,
    "zstd": b"\x28\xb5\x2f\xfd" + b"x" * 600,
    "half a block": bytes(511),
}
NO_IMAGE = {
    "empty": _archive(),
    "no manifest": _archive(file=b"text"),
    "no JSON": _archive(manifest_json=b"{"),
    "wrong JSON": _archive(manifest_json=b'{"Config": 1}'),
    "no layers": _archive(manifest_json=b'[{"Config": "c.json", "RepoTags": null, "Layers": ["l.tar"]}]'),
    "a way out": _archive(manifest_json=b'[{"Config": "../../../etc/passwd", "Layers": []}]'),
}


@pytest.mark.parametrize("kind", [*BROKEN, *NO_IMAGE])
def test_archives_that_cannot_be_loaded(engine: Engine, kind: str) -> None:
    before = _at_rest(engine)
    archive = {**BROKEN, **NO_IMAGE}[kind]
    status, raw = engine.send("POST", "/images/load", archive, kind="application/x-tar")
    # The status is out before the archive is read: the error comes in the stream.
    assert status == 200
    problem = json.loads(raw.splitlines()[-1])
    assert problem["error"] == problem["errorDetail"]["message"]
    assert (problem["errorDetail"]["code"], bool(problem["error"])) == (400, True), problem
    if kind in BROKEN:
        status, raw = engine.send("POST", "/images/create?fromSrc=-&repo=broken", archive, kind="")
        assert (status, bool(json.loads(raw)["message"])) == (400, True), raw
    assert _kept(engine) == before


def test_bad_wishes_for_an_import(engine: Engine) -> None:
    for query, message in (
        ("fromSrc=ftp://example.test/x.tar", 'unsupported protocol scheme "ftp"'),
        ("fromSrc=-&repo=UP", "must be lowercase"),
        ("fromSrc=-&repo=x&tag=a%20b", "invalid tag format"),
        ("fromSrc=-&changes=NOPE", "NOPE is not a valid change command"),
        ("fromSrc=-&changes=USER", "USER requires at least one argument"),
        (f"fromSrc=-&changes=EXPOSE%20{ENDLESS}", "invalid containerPort"),
        (f"fromSrc=-&changes=HEALTHCHECK%20--retries={ENDLESS}%20CMD%20x", "HEALTHCHECK"),
        ("fromSrc=-&platform=a/b/c/d", "invalid platform"),
    ):
        status, raw = engine.send("POST", f"/images/create?{query}", _archive(), kind="")
        assert (status, message in json.loads(raw)["message"]) == (400, True), raw
    assert len(engine.get("/images/json")) == 1


# --- clients that vanish


def _descriptors(engine: Engine) -> int:
    """How many files the daemon and the keeper have open."""
    assert engine.process is not None
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in (engine.process.pid, engine.keeper_pid()))


def _begin(engine: Engine, request: str, body: bytes = b"", fields: str = "", answer: bool = True) -> Any:
    """Sends a request, waits for the first bytes of its answer, and gives the connection to be cut."""
    connection = engine.connect()
    connection.sendall(f"{request} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode() + body)
    if answer:
        assert connection.recv(12)[9:] in (b"200", b"101")
    return connection


def test_clients_that_vanish_leave_nothing(engine: Engine) -> None:
    container = _running(engine, OpenStdin=True, Cmd=["sh", "-c", "echo begun; cat"])
    path = f"/containers/{container}"
    json_kind = "Content-Type: application/json\r\n"

    requests: list[tuple[str, bytes, str]] = [
        (f"POST {path}/attach?stream=1&stdin=1&stdout=1", b"", "Upgrade: tcp\r\nConnection: Upgrade\r\n"),
        (f"POST {path}/attach?stream=1&stdout=1&logs=1", b"", ""),
        (f"GET {path}/logs?stdout=1&follow=1", b"", ""),
        ("GET /events", b"", ""),
        (f"POST {path}/wait", b"", ""),
        (f"POST {path}/wait?condition=removed", b"", ""),
    ]
    engine.docker("exec", container, "true")
    settled = _descriptors(engine)
    for number in range(5):
        connections = [_begin(engine, *request) for request in requests]
        # With a terminal, a command goes on without its client, as with docker.
        for tty, words in ((False, ["cat"]), (True, ["sleep", "0.2"])):
            wish = {"Cmd": words, "Tty": tty, "AttachStdin": True, "AttachStdout": True}
            command = engine.api("POST", f"{path}/exec", wish)[1]["Id"]
            body = json.dumps({"Tty": tty}).encode()
            fields = f"{json_kind}Content-Length: {len(body)}\r\n"
            connections.append(_begin(engine, f"POST /exec/{command}/start", body, fields))
        for connection in connections:
            if number % 2:
                time.sleep(0.01)
            connection.close()
    wait_for(lambda: _descriptors(engine) <= settled)
    assert engine.docker("exec", container, "ps", "-o", "args").stdout.split().count(b"cat") == 1
    assert engine.get("/containers/json")[0]["Id"] == container


def test_half_a_body_leaves_nothing(engine: Engine) -> None:
    before = _at_rest(engine)
    descriptors = _descriptors(engine)
    archive = _archive(big=os.urandom(300_000))
    for _ in range(3):
        for path, body in (
            ("/images/load", archive),
            ("/images/create?fromSrc=-&repo=half", archive),
            (CREATE, json.dumps({"Image": IMAGE, "Env": ["A=1"] * 1000}).encode()),
        ):
            for fields, start in (
                (f"Content-Length: {len(body)}\r\n", b""),
                ("Transfer-Encoding: chunked\r\n", b"%x\r\n" % len(body)),
            ):
                kind = "Content-Type: application/json\r\n"
                request = f"POST {path}"
                half = start + body[: len(body) // 2]
                _begin(engine, request, half, kind + fields, answer=False).close()
    wait_for(lambda: _descriptors(engine) <= descriptors)
    wait_for(lambda: _kept(engine) == before, 3)
    assert engine.get("/containers/json?all=1") == []


def test_a_create_whose_client_does_not_wait_is_whole_or_not_at_all(engine: Engine) -> None:
    body = json.dumps({"Image": IMAGE, "HostConfig": {"Binds": ["left:/x"]}}).encode()
    fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    for _ in range(10):
        _begin(engine, f"POST {CREATE}", body, fields, answer=False).close()
    for made in engine.get("/containers/json?all=1"):
        # The client may have left before its create was undone, which is no error either.
        with contextlib.suppress(http.client.HTTPException):
            engine.api("DELETE", f"/containers/{made['Id']}")
    wait_for(lambda: engine.get("/containers/json?all=1") == [] and take(engine) == _NOTHING)
    assert engine.api("DELETE", "/volumes/left")[0] in (204, 404)


# --- any body of the right shape

_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
_WORD = st.one_of(
    _TEXT,
    st.sampled_from(
        ["", "/", "..", "host", "none", "container:x", "80/tcp", "1-65536", "/a:/b:ro", "x=y", "-1"]
    ),
)
_NUMBER = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.sampled_from([0, 1, -1, 1 << 20, 100_000]))
_WORDS = st.lists(_WORD, max_size=3)
_PAIRS = st.dictionaries(_WORD, _WORD, max_size=2)
_BINDINGS = st.dictionaries(
    _WORD, st.lists(st.fixed_dictionaries({"HostIp": _WORD, "HostPort": _WORD}), max_size=2), max_size=2
)
_MOUNT = st.fixed_dictionaries(
    {"Type": st.one_of(_WORD, st.sampled_from(["bind", "volume", "tmpfs"]))},
    optional={"Source": _WORD, "Target": _WORD, "ReadOnly": st.booleans()},
)
_HOST = {
    **dict.fromkeys(("Binds", "CapAdd", "CapDrop", "Dns", "ExtraHosts", "GroupAdd", "SecurityOpt"), _WORDS),
    **dict.fromkeys(("NetworkMode", "PidMode", "IpcMode", "UTSMode", "CgroupParent", "Runtime"), _WORD),
    **dict.fromkeys(("Memory", "MemorySwap", "NanoCpus", "CpuShares", "PidsLimit", "ShmSize"), _NUMBER),
    **dict.fromkeys(("Privileged", "AutoRemove", "ReadonlyRootfs", "PublishAllPorts"), st.booleans()),
    **dict.fromkeys(("Sysctls", "Tmpfs", "Annotations"), _PAIRS),
    "ConsoleSize": st.lists(_NUMBER, max_size=3),
    "LogConfig": st.fixed_dictionaries({"Type": _WORD, "Config": _PAIRS}),
    "Mounts": st.lists(_MOUNT, max_size=2),
    "PortBindings": _BINDINGS,
    "RestartPolicy": st.fixed_dictionaries({"Name": _WORD, "MaximumRetryCount": _NUMBER}),
    "Ulimits": st.lists(st.fixed_dictionaries({"Name": _WORD, "Soft": _NUMBER, "Hard": _NUMBER}), max_size=1),
}
_CONFIG = {
    **dict.fromkeys(("Cmd", "Entrypoint", "Env", "Shell"), _WORDS),
    **dict.fromkeys(("Hostname", "User", "WorkingDir", "StopSignal", "MacAddress"), _WORD),
    **dict.fromkeys(("Tty", "OpenStdin", "StdinOnce", "AttachStdout"), st.booleans()),
    **dict.fromkeys(("ExposedPorts", "Volumes"), st.dictionaries(_WORD, st.just({}), max_size=2)),
    "Image": st.one_of(st.just(IMAGE), _WORD),
    "Labels": _PAIRS,
    "StopTimeout": _NUMBER,
    "NetworkingConfig": st.dictionaries(st.just("EndpointsConfig"), st.dictionaries(_WORD, st.just({}))),
}


def _some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """One to three of the fields: more, and hardly a body would be accepted."""
    chosen = st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: fields[name] for name in names}))


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(_some(_CONFIG), _some(_HOST))
def test_any_body_is_accepted_or_refused(
    shared_engine: Engine, config: dict[str, Any], host: dict[str, Any]
) -> None:
    status, answer = shared_engine.api("POST", CREATE, {"Image": IMAGE, **config, "HostConfig": host})
    assert status in (201, 400, 404, 409), answer
    if status == 201:
        assert re.fullmatch(r"[0-9a-f]{64}", answer["Id"])
        assert shared_engine.api("DELETE", f"/containers/{answer['Id']}?v=1")[0] == 204
    else:
        assert answer["message"]
    assert shared_engine.alive()
