"""docker compose, version 2: a stack of three services, two networks and two volumes."""

import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.engine import Engine, wait_for

_PLACES = (
    Path("/usr/libexec/docker/cli-plugins"),
    Path("/usr/lib/docker/cli-plugins"),
    Path.home() / ".docker/cli-plugins",
)
_PLUGINS = [str(place / "docker-compose") for place in _PLACES if (place / "docker-compose").exists()]
# Not from the path: there the first version, in Python, may lie under the same name.
_FETCHED = Path(__file__).parents[2] / ".cache/docker-compose/docker-compose"
PROGRAM = _PLUGINS[0] if _PLUGINS else str(_FETCHED) if _FETCHED.exists() else None

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no docker compose, version 2")

STACK = """
services:
  web:
    image: lading/starter
    stop_grace_period: 0s
    command: sh -c "echo hello > /www/index.html; exec httpd -f -h /www -p 80"
    volumes: ["www:/www"]
    networks: [front, back]
    ports: ["127.0.0.1::80"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: lading/starter
    stop_grace_period: 0s
    command: sh -c "echo rows > /data/table; exec httpd -f -h /data -p 5432"
    volumes: ["data:/data"]
    networks: [back]
    healthcheck: {test: [CMD, test, -s, /data/table], interval: 100ms}
  job:
    image: lading/starter
    stop_grace_period: 0s
    command: sh -c "until wget -qO- http://web; do sleep 0.1; done; exec sleep 300"
    networks: {front: {aliases: [worker]}}
    depends_on: [web]
networks: {front: {}, back: {internal: true}}
volumes: {www: {}, data: {}}
"""

Compose = Callable[..., str]


@pytest.fixture
def compose(engine: Engine, tmp_path: Path) -> Compose:
    """Runs compose in a project of its own; gives what it printed."""
    (tmp_path / "compose.yaml").write_text(STACK)

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(PROGRAM), "--project-name", "stack", *words],
            cwd=tmp_path,
            env=engine.environment,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_stack_comes_up_and_goes_without_a_trace(engine: Engine, compose: Compose) -> None:
    before = {network["Name"] for network in engine.get("/networks")}
    compose("up", "--detach")
    shown = [json.loads(line) for line in compose("ps", "--format", "json").splitlines()]
    assert {entry["Service"]: entry["State"] for entry in shown} == dict.fromkeys(
        ("web", "db", "job"), "running"
    )
    assert next(entry["Health"] for entry in shown if entry["Service"] == "db") == "healthy"
    wait_for(lambda: "hello" in compose("logs", "--no-log-prefix", "job"))
    assert compose("exec", "-T", "web", "wget", "-qO-", "http://db:5432/table") == "rows\n"
    port = compose("port", "web", "80").strip()
    with urllib.request.urlopen(f"http://{port}", timeout=10) as answer:
        assert answer.read() == b"hello\n"
    # Another network's names and ways are none of its business.
    assert "unreachable" in compose(
        "exec", "-T", "job", "sh", "-c", "nslookup db >/dev/null 2>&1 || echo unreachable"
    )
    compose("down", "--volumes")
    assert engine.get("/containers/json?all=1") == []
    assert {network["Name"] for network in engine.get("/networks")} == before
    assert engine.get("/volumes")["Volumes"] == []


def test_what_has_not_changed_stays_and_services_scale(engine: Engine, compose: Compose) -> None:
    compose("up", "--detach")
    first = compose("ps", "--quiet", "web").strip()
    compose("up", "--detach", "--scale", "job=3")
    assert compose("ps", "--quiet", "web").strip() == first
    assert len(compose("ps", "--quiet", "job").split()) == 3
    wait_for(lambda: compose("exec", "-T", "web", "nslookup", "worker").count("Address: ") == 3)
    compose("restart", "db")
    compose("stop")
    assert compose("ps", "--quiet", "--status", "running") == ""
    compose("start")
    assert compose("exec", "-T", "web", "cat", "/www/index.html") == "hello\n"
    compose("down", "--volumes")
