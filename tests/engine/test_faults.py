"""kill -9 at any moment: nothing that runs notices, nothing is lost, nothing is left."""

import contextlib
import http.client
import json
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.census import take
from tests.engine.engine import IMAGE, Engine, docker_cli, wait_for
from tests.logs.servers import Server

KILLS = 200
COUNTER = "i=0; while :; do i=$((i+1)); echo $i; usleep 20000; done"


class Load:
    """Clients that create, start, exec into, stop and remove containers without pause."""

    def __init__(self, engine: Engine, workers: int) -> None:
        self._engine = engine
        self._pause = threading.Event()
        self._stop = threading.Event()
        self.started: dict[str, int] = {}
        self._threads = [
            threading.Thread(target=self._work, args=(seed,), daemon=True) for seed in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException, KeyError):
                self._one_life(chance)

    def _one_life(self, chance: random.Random) -> None:
        code = chance.randrange(1, 100)
        seconds = chance.choice(("0", "0.05", "0.3"))
        status, made = self._engine.create(
            Cmd=["sh", "-c", f"echo begin; sleep {seconds}; echo end; exit {code}"],
            HostConfig={"PortBindings": {"80/tcp": [{"HostPort": ""}]}} if chance.random() < 0.3 else {},
        )
        if status != 201:
            return
        if self._engine.api("POST", f"/containers/{made['Id']}/start")[0] == 204:
            self.started[made["Id"]] = code
        if chance.random() < 0.3:
            _, command = self._engine.api("POST", f"/containers/{made['Id']}/exec", {"Cmd": ["true"]})
            self._engine.api("POST", f"/exec/{command['Id']}/start", {"Detach": True})
        if chance.random() < 0.5:
            # A removal cut short may have killed it: its exit code is then no longer its own.
            self.started.pop(made["Id"], None)
            self._engine.api("DELETE", f"/containers/{made['Id']}?force=1&v=1")

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def pillars(new_engine: Callable[..., Engine]) -> tuple[Engine, list[str]]:
    """An engine with three containers that count, one with a published port and one with a health check."""
    engine = new_engine()
    names = []
    for number in range(3):
        ports = {"80/tcp": [{"HostPort": ""}]} if number == 0 else {}
        check = {"Test": ["CMD", "true"], "Interval": 50_000_000} if number == 1 else None
        status, made = engine.create(
            Cmd=["sh", "-c", COUNTER], HostConfig={"PortBindings": ports}, Healthcheck=check
        )
        assert status == 201, made
        assert engine.api("POST", f"/containers/{made['Id']}/start")[0] == 204
        names.append(made["Id"])
    return engine, names


def _numbers(engine: Engine, container_id: str) -> list[int]:
    log = engine.data_root / "containers" / container_id / f"{container_id}-json.log"
    return [int(json.loads(line)["log"]) for line in log.read_bytes().splitlines() if line.endswith(b"}")]


def _assert_counts_on(engine: Engine, container_id: str) -> None:
    numbers = _numbers(engine, container_id)
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.timeout(900)
def test_two_hundred_kills_of_the_daemon_under_load(pillars: tuple[Engine, list[str]]) -> None:
    engine, names = pillars
    server = Server("stream")
    sender = _start(engine, COUNTER, LogConfig=_gelf(server))
    # After ten seconds the pause before it comes again is short.
    phoenix = _start(engine, "sleep 10.5; exit 3", RestartPolicy={"Name": "always"})
    wait_for(lambda: _health(engine, names[1])["Status"] == "healthy")
    pids = {name: engine.get(f"/containers/{name}/json")["State"]["Pid"] for name in names}
    load = Load(engine, 3)
    chance = random.Random(7)
    try:
        for number in range(KILLS):
            time.sleep(chance.uniform(0.0, 0.25))
            engine.kill()
            engine.start()
            for name in names:
                state = engine.get(f"/containers/{name}/json")["State"]
                assert (state["Status"], state["Pid"]) == ("running", pids[name])
            assert _health(engine, names[1])["Status"] == "healthy"
            if number % 20 == 19:
                for name in names:
                    _assert_counts_on(engine, name)
    finally:
        load.end()
    _assert_sent_whole(engine, sender, server)
    born = engine.get(f"/containers/{phoenix}/json")["State"]["StartedAt"]
    wait_for(lambda: engine.get(f"/containers/{phoenix}/json")["State"]["StartedAt"] != born, 30)
    seen = _health(engine, names[1])["Log"][-1]
    wait_for(lambda: seen not in _health(engine, names[1])["Log"])
    _assert_exit_codes(engine, load.started)
    _assert_nothing_is_left(engine, [*names, sender])
    server.stop()


def _start(engine: Engine, script: str, **host: Any) -> str:
    status, made = engine.create(Cmd=["sh", "-c", script], HostConfig=host)
    assert status == 201, made
    assert engine.api("POST", f"/containers/{made['Id']}/start")[0] == 204
    return str(made["Id"])


def _gelf(server: Server) -> dict[str, Any]:
    return {"Type": "gelf", "Config": {"gelf-address": f"tcp://127.0.0.1:{server.port}"}}


def _assert_sent_whole(engine: Engine, container_id: str, server: Server) -> None:
    """Every line reached the server; those a kill left in doubt may have come twice."""
    last = int(engine.api("GET", f"/containers/{container_id}/logs?stdout=1&tail=1")[1][8:])

    def numbers() -> set[int]:
        # A kill cuts a message in the middle; it comes again on the next connection.
        return {int(text) for text in re.findall(rb'"short_message":\s*"(\d+)"', server.received)}

    wait_for(lambda: last in numbers())
    sent = numbers()
    assert sent == set(range(1, max(sent) + 1))


def _health(engine: Engine, container_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = engine.get(f"/containers/{container_id}/json")["State"]["Health"]
    return shown


def _assert_exit_codes(engine: Engine, started: dict[str, int]) -> None:
    for container_id, code in started.items():
        status, shown = engine.api("GET", f"/containers/{container_id}/json")
        if status == 404:
            continue
        state = _final_state(engine, container_id)
        assert state["ExitCode"] == code, shown
        _, log = engine.api("GET", f"/containers/{container_id}/logs?stdout=1")
        assert log == b"\x01\0\0\0\0\0\0\x06begin\n\x01\0\0\0\0\0\0\x04end\n"


def _final_state(engine: Engine, container_id: str) -> dict[str, Any]:
    """The state of a container once it has ended; the whole story where it does not."""
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(engine.get(f"/containers/{container_id}/json")["State"])
        return bool(found["Status"] == "exited")

    with contextlib.suppress(AssertionError):
        wait_for(ended)
    assert found["Status"] == "exited", (container_id, found, engine.log())
    return found


def _assert_nothing_is_left(engine: Engine, names: list[str]) -> None:
    for container in engine.get("/containers/json?all=1"):
        if container["Id"] not in names:
            assert engine.api("DELETE", f"/containers/{container['Id']}?force=1&v=1")[0] == 204
    engine.kill()
    engine.start()
    alive = frozenset(names)

    def settled() -> bool:
        census = take(engine)
        return census.cgroups == alive and census.oci_containers == alive

    wait_for(settled)
    census = take(engine)
    assert census.mounted_roots == alive
    assert census.container_directories == alive
    assert census.bundles == alive
    assert census.writable_snapshots == alive
    assert census.endpoints == alive
    assert census.links == len(alive)
    assert (census.published, census.leases) == (1, 1)


def test_a_killed_keeper_loses_no_container_no_output_and_no_exit(pillars: tuple[Engine, list[str]]) -> None:
    engine, names = pillars
    status, made = engine.create(Cmd=["sh", "-c", "sleep 2; echo late; exit 42"])
    assert status == 201
    engine.api("POST", f"/containers/{made['Id']}/start")
    for _ in range(3):
        os.kill(engine.keeper_pid(), 9)
        wait_for(lambda: engine.alive() and _keeper_answers(engine))
        time.sleep(0.3)
    state = _final_state(engine, made["Id"])
    assert state["ExitCode"] == 42
    for name in names:
        assert engine.get(f"/containers/{name}/json")["State"]["Running"]
        before = len(_numbers(engine, name))
        wait_for(lambda key=name, count=before: len(_numbers(engine, key)) > count)
        _assert_counts_on(engine, name)


def _keeper_answers(engine: Engine) -> bool:
    with contextlib.suppress(OSError):
        return engine.keeper_pid() > 0
    return False


def test_docker_run_gets_its_exit_code_through_a_kill(
    new_engine: Callable[..., Engine],
) -> None:
    engine = new_engine()
    script = "for i in 1 2 3; do echo $i; sleep 0.5; done; exit 9"
    client = subprocess.Popen(
        [docker_cli(), "run", "--rm", IMAGE, "sh", "-c", script],
        env=engine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(lambda: engine.get("/containers/json"))
    # Its start must have been answered: nobody answers that twice.
    time.sleep(0.3)
    engine.kill()
    engine.start()
    out, err = client.communicate(timeout=30)
    assert (client.returncode, out, err) == (9, b"1\n2\n3\n", b"")
    assert wait_for(lambda: engine.get("/containers/json?all=1") == [])
