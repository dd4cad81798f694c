"""Answers have the keys and types of the Engine API, in every state their object can be in."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.answer_shapes import faults
from tests.engine.engine import IMAGE, Engine, wait_for

BARE: dict[str, Any] = {"Cmd": ["true"]}
RICH: dict[str, Any] = {
    "Cmd": ["sleep", "1000"],
    "Labels": {"a": "b"},
    "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    "Volumes": {"/anonymous": {}},
    "HostConfig": {
        "PortBindings": {"80/tcp": [{"HostPort": ""}]},
        "Binds": ["named:/v", "/tmp:/t:ro"],
        "Mounts": [{"Type": "tmpfs", "Target": "/m"}],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
        "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
        "CapAdd": ["NET_ADMIN"],
        "ExtraHosts": ["a:127.0.0.1"],
    },
}


@pytest.fixture(autouse=True)
def _without_volumes(engine: Engine) -> Iterator[None]:
    yield
    engine.remove_containers()
    engine.api("DELETE", "/volumes/named")


def _conforms(shape: str, answer: Any) -> None:
    assert list(faults(shape, answer)) == []


def _container(engine: Engine, body: dict[str, Any]) -> str:
    status, made = engine.create(**body)
    assert status == 201, made
    _conforms("Create", made)
    return str(made["Id"])


@pytest.mark.parametrize("body", [BARE, RICH], ids=["bare", "rich"])
def test_containers_in_every_state(engine: Engine, body: dict[str, Any]) -> None:
    container = _container(engine, body)
    path = f"/containers/{container}"

    def check(state: str) -> dict[str, Any]:
        shown: dict[str, Any] = engine.get(f"{path}/json?size=1")
        assert shown["State"]["Status"] == state
        _conforms("Inspect", shown)
        _conforms("InspectWithSize", shown)
        (summary,) = engine.get("/containers/json?all=1&size=1")
        assert summary["State"] == state
        _conforms("Summary", summary)
        _conforms("SummaryWithSize", summary)
        return shown

    check("created")
    assert engine.api("POST", f"{path}/start")[0] == 204
    if body is RICH:
        shown = check("running")
        assert {mount["Type"] for mount in shown["Mounts"]} == {"volume", "bind", "tmpfs"}
        for mount in shown["Mounts"]:
            if mount["Type"] == "volume":
                _conforms("VolumePoint", mount)
        published = engine.get("/containers/json")[0]["Ports"]
        assert [port["PrivatePort"] for port in published if "PublicPort" in port] == [80]
        _conforms("PublishedPort", next(port for port in published if "PublicPort" in port))
        assert engine.api("POST", f"{path}/stop?t=0")[0] == 204
    status, waited = engine.api("POST", f"{path}/wait")
    assert status == 200
    _conforms("Wait", waited)
    check("exited")


def test_execs_in_every_state(engine: Engine) -> None:
    container = _container(engine, RICH)
    assert engine.api("POST", f"/containers/{container}/start")[0] == 204
    status, made = engine.api("POST", f"/containers/{container}/exec", {"Cmd": ["sleep", "0.1"], "User": "0"})
    assert status == 201
    _conforms("ExecCreate", made)
    path = f"/exec/{made['Id']}"
    shown = engine.get(f"{path}/json")
    assert (shown["Running"], shown["ExitCode"]) == (False, None)
    _conforms("Exec", shown)
    assert engine.api("POST", f"{path}/start", {"Detach": True})[0] == 200
    _conforms("Exec", engine.get(f"{path}/json"))
    assert engine.get(f"/containers/{container}/json")["ExecIDs"] == [made["Id"]]
    _conforms("Inspect", engine.get(f"/containers/{container}/json"))
    shown = wait_for(lambda: (now := engine.get(f"{path}/json"))["ExitCode"] == 0 and now)
    _conforms("Exec", shown)
    assert shown["ProcessConfig"]["user"] == "0"


def test_images(engine: Engine) -> None:
    _conforms("Image", engine.get(f"/images/{IMAGE}/json"))
    for image in engine.get("/images/json"):
        _conforms("ImageSummary", image)
    history = engine.get(f"/images/{IMAGE}/history")
    assert history
    for entry in history:
        _conforms("History", entry)


def test_networks_and_volumes(engine: Engine) -> None:
    container = _container(engine, RICH)
    assert engine.api("POST", f"/containers/{container}/start")[0] == 204
    networks = engine.get("/networks")
    assert {network["Name"] for network in networks} >= {"bridge", "host", "none"}
    for network in networks:
        _conforms("Network", network)
        _conforms("Network", engine.get(f"/networks/{network['Id']}"))
    assert container in engine.get("/networks/bridge")["Containers"]
    volumes = engine.get("/volumes")
    assert len(volumes["Volumes"]) >= 2
    _conforms("Volumes", volumes)
    _conforms("Volume", engine.get("/volumes/named"))


def test_the_engine_itself(engine: Engine) -> None:
    _conforms("Info", engine.get("/info"))
    version = engine.get("/version")
    _conforms("Version", version)
    assert (version["ApiVersion"], version["MinAPIVersion"]) == ("1.51", "1.24")


def test_events(engine: Engine) -> None:
    since = time.time()
    container = _container(engine, RICH)
    assert engine.api("POST", f"/containers/{container}/start")[0] == 204
    assert engine.api("DELETE", f"/containers/{container}?force=1&v=1")[0] == 204
    raw = engine.send("GET", f"/events?since={since:.9f}&until={time.time():.9f}")[1]
    events = [json.loads(line) for line in raw.splitlines()]
    for event in events:
        _conforms("Event", event)
        if event["Type"] == "container":
            _conforms("ContainerEvent", event)
    seen = {(event["Type"], event["Action"]) for event in events}
    assert seen >= {("container", action) for action in ("create", "start", "die", "destroy")}
    assert seen >= {("network", "connect"), ("network", "disconnect"), ("volume", "mount")}


def test_errors(engine: Engine) -> None:
    for method, path in (
        ("GET", "/nosuch"),
        ("GET", "/v9.9/info"),
        ("GET", "/containers/nosuch/json"),
        ("POST", "/containers/create"),
        ("DELETE", "/images/nosuch"),
        ("GET", "/containers/json?filters=x"),
    ):
        status, answer = engine.api(method, path)
        assert 400 <= status < 500
        _conforms("Error", answer)
        assert list(answer) == ["message"]


def test_older_clients_get_what_their_version_has(engine: Engine) -> None:
    for version in ("1.24", "1.41", "1.44", "1.51"):
        container = _container(engine, BARE)
        _conforms("Inspect", engine.get(f"/v{version}/containers/{container}/json"))
        _conforms("Summary", engine.get(f"/v{version}/containers/json?all=1")[0])
        _conforms("ImageSummary", engine.get(f"/v{version}/images/json")[0])
        _conforms("Info", engine.get(f"/v{version}/info"))
        engine.remove_containers()
