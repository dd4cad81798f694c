"""Steering containers that run: pausing, limits, what runs in them, and clearing them away."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from docker.errors import APIError
from tests.engine.engine import IMAGE, Engine, wait_for

COUNTING = ("sh", "-c", "trap 'exit 3' TERM; i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done")
DEAF = ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")

NewEngine = Callable[..., Engine]


def _run(engine: Engine, name: str, *words: str, flags: tuple[str, ...] = ()) -> str:
    started = engine.docker("run", "-d", "--name", name, *flags, IMAGE, *(words or COUNTING))
    return started.stdout.decode().strip()


def _state(engine: Engine, name: str) -> dict[str, Any]:
    state: dict[str, Any] = engine.get(f"/containers/{name}/json")["State"]
    return state


def _count(engine: Engine, name: str) -> str:
    upper = engine.get(f"/containers/{name}/json")["GraphDriver"]["Data"]["UpperDir"]
    try:
        return (Path(upper) / "count").read_text().strip()
    except FileNotFoundError:
        return ""


def _stands_still(engine: Engine, name: str) -> bool:
    before = _count(engine, name)
    with pytest.raises(AssertionError):
        wait_for(lambda: _count(engine, name) not in ("", before), seconds=0.3)
    return True


def _goes_on(engine: Engine, name: str) -> bool:
    before = _count(engine, name)
    return bool(wait_for(lambda: _count(engine, name) not in ("", before)))


def _actions(engine: Engine, name: str) -> list[str]:
    filters = json.dumps({"container": [name], "type": ["container"]})
    path = f"/events?since=1&until={time.time():.9f}&filters={quote(filters)}"
    _, told = engine.api("GET", path)
    lines = [told] if isinstance(told, dict) else [json.loads(line) for line in told.splitlines()]
    return [line["Action"] for line in lines]


# --- pausing


@pytest.mark.parametrize("client", ["docker", "lading"])
def test_a_paused_container_stands_still_until_it_is_let_go_on(engine: Engine, client: str) -> None:
    command = getattr(engine, client)
    identifier = _run(engine, "still")
    assert _goes_on(engine, "still")
    assert command("pause", "still").stdout == b"still\n"
    assert _stands_still(engine, "still")
    state = _state(engine, "still")
    assert (state["Status"], state["Running"], state["Paused"]) == ("paused", True, True)
    assert b"(Paused)" in engine.docker("ps").stdout
    assert engine.get("/info")["ContainersPaused"] == 1
    assert (
        engine.docker("ps", "-q", "--no-trunc", "--filter", "status=paused").stdout.decode().strip()
        == identifier
    )
    assert command("container", "unpause", "still").stdout == b"still\n"
    assert _goes_on(engine, "still")
    assert _state(engine, "still")["Status"] == "running"
    assert _actions(engine, "still")[-2:] == ["pause", "unpause"]


def test_pausing_what_cannot_be_paused(engine: Engine) -> None:
    container = engine.py.containers.create(IMAGE, ["true"], name="never")
    for deed in (container.pause, container.unpause):
        with pytest.raises(APIError, match=f"container {container.id} is not running") as refused:
            deed()
        assert refused.value.status_code == 409
    _run(engine, "twice")
    with pytest.raises(APIError, match="is not paused"):
        engine.py.containers.get("twice").unpause()
    engine.py.containers.get("twice").pause()
    with pytest.raises(APIError, match="is already paused"):
        engine.py.containers.get("twice").pause()
    for words in (["exec", "twice", "true"], ["start", "twice"]):
        done = engine.docker(*words, check=False)
        assert done.returncode == 1
        assert b"paused" in done.stderr


def test_a_paused_container_can_be_stopped_killed_restarted_and_removed(engine: Engine) -> None:
    _run(engine, "ends")
    engine.docker("pause", "ends")
    engine.docker("stop", "ends")
    # It was not killed: the stop signal reached it.
    assert _state(engine, "ends")["ExitCode"] == 3
    assert _actions(engine, "ends")[-5:] == ["pause", "kill", "unpause", "die", "stop"]
    engine.docker("start", "ends")
    engine.docker("pause", "ends")
    engine.docker("restart", "ends")
    assert _state(engine, "ends")["Status"] == "running"
    assert _goes_on(engine, "ends")
    engine.docker("pause", "ends")
    engine.docker("kill", "ends")
    assert wait_for(lambda: _state(engine, "ends")["ExitCode"] == 137)
    engine.docker("start", "ends")
    engine.docker("pause", "ends")
    refused = engine.docker("rm", "ends", check=False)
    assert b"container is paused: stop the container before removing or force remove" in refused.stderr
    engine.docker("rm", "-f", "ends")
    assert engine.get("/containers/json?all=1") == []


def test_another_signal_waits_until_the_container_goes_on(engine: Engine) -> None:
    _run(engine, "waits", "sh", "-c", "trap 'exit 9' HUP; while :; do sleep 0.02; done")
    engine.docker("pause", "waits")
    engine.docker("kill", "-s", "HUP", "waits")
    assert _state(engine, "waits")["Status"] == "paused"
    engine.docker("unpause", "waits")
    assert wait_for(lambda: _state(engine, "waits")["ExitCode"] == 9)


def test_a_paused_container_stays_so_over_the_engines_end(new_engine: NewEngine) -> None:
    engine = new_engine()
    _run(engine, "sleeper")
    _run(engine, "runner")
    engine.docker("pause", "sleeper")
    engine.kill()
    engine.start()
    assert _state(engine, "sleeper")["Status"] == "paused"
    assert _state(engine, "runner")["Status"] == "running"
    assert _stands_still(engine, "sleeper")
    engine.docker("unpause", "sleeper")
    assert _goes_on(engine, "sleeper")
