"""The engine's news as a stream."""

import itertools
import json
import subprocess
import time

import pytest
from docker import DockerClient
from tests.api.conftest import CountedBus, Docker
from tests.http.serving import Service, get

from lading.events import Bus

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A container's name, new in every test: the bus remembers the others."""
    return f"crate{next(_numbers)}"


def _publish(service: Service, bus: Bus, name: str, *actions: str) -> None:
    async def publish() -> None:
        for action in actions:
            bus.publish("container", action, name.ljust(64, "0"), {"name": name, "image": "starter"})

    service.run(publish())


def test_news_arrives_line_by_line_while_it_happens(service: Service, bus: Bus, name: str) -> None:
    client, reader = service.connect()
    client.send(get(f"/events?filters=%7B%22container%22%3A%5B%22{name}%22%5D%7D"))
    head = reader.head()
    assert (head.status, head.fields["content-type"]) == (200, "application/json")
    for action in ("create", "start", "die"):
        _publish(service, bus, name, action)
        line = reader.chunk()
        assert line.endswith(b"\n")
        message = json.loads(line)
        assert (message["Type"], message["Action"], message["status"]) == ("container", action, action)
        assert message["Actor"] == {
            "ID": name.ljust(64, "0"),
            "Attributes": {"image": "starter", "name": name},
        }
        assert (message["scope"], message["from"], message["id"]) == (
            "local",
            "starter",
            message["Actor"]["ID"],
        )
        assert message["timeNano"] // 1_000_000_000 == message["time"]


def test_the_docker_cli_replays_the_past_and_ends(
    docker: Docker, service: Service, bus: Bus, name: str
) -> None:
    _publish(service, bus, name, "create", "start", "die")
    now = f"{time.time():.9f}"
    arguments = (
        "events",
        "--since",
        "0",
        "--until",
        now,
        "--format",
        "{{.Action}} {{.Actor.Attributes.name}}",
    )
    everything = docker(*arguments, "--filter", f"container={name}")
    assert everything.stdout.splitlines() == [f"{action} {name}" for action in ("create", "start", "die")]
    by_prefix = docker(*arguments, "--filter", f"container={name.ljust(12, '0')}", "--filter", "event=start")
    assert by_prefix.stdout.splitlines() == [f"start {name}"]
    assert docker(*arguments, "--filter", f"container={name}", "--filter", "type=network").stdout == ""


def test_the_docker_cli_follows_until_the_time_given(service: Service, bus: Bus, name: str) -> None:
    _publish(service, bus, name, "create")
    command = [
        "docker",
        "-H",
        f"unix://{service.path}",
        "events",
        "--since",
        "1m",
        "--until",
        f"{time.time() + 2:.9f}",
    ]
    with subprocess.Popen(
        [*command, "--format", "{{.Action}}", "--filter", f"container={name}"],
        stdout=subprocess.PIPE,
        text=True,
    ) as events:
        assert events.stdout is not None
        assert events.stdout.readline() == "create\n"
        _publish(service, bus, name, "start")
        assert events.stdout.readline() == "start\n"
        assert events.stdout.read() == ""
    assert events.returncode == 0


def test_docker_py_follows(client: DockerClient, service: Service, bus: Bus, name: str) -> None:
    _publish(service, bus, name, "create")
    stream = client.events(since=1, filters={"container": name}, decode=True)
    assert next(stream)["Action"] == "create"
    _publish(service, bus, name, "die")
    assert next(stream)["Action"] == "die"
    stream.close()


def test_a_listener_that_leaves_is_forgotten(service: Service, bus: CountedBus, name: str) -> None:
    client, reader = service.connect()
    client.send(get("/events"))
    reader.head()
    _publish(service, bus, name, "create")
    reader.chunk()
    before = bus.listening
    client.close()
    deadline = time.monotonic() + 10
    while bus.listening == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bus.listening == before - 1
