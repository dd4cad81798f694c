"""Two who want different things of one container at once."""

import threading
import time
from typing import Any

import pytest
from tests.engine.engine import Engine

SLEEP = ["sleep", "1000"]


class Aside:
    """A call made at the same time as others."""

    def __init__(self, engine: Engine, method: str, path: str) -> None:
        self._engine, self._method, self._path = engine, method, path
        self.answer: tuple[int, Any] = (0, None)
        self._thread = threading.Thread(target=self._call)
        self._thread.start()

    def _call(self) -> None:
        self.answer = self._engine.api(self._method, self._path)

    def status(self) -> int:
        self._thread.join(30)
        return self.answer[0]


@pytest.fixture(params=[0.001, 0.004, 0.008])
def started(request: pytest.FixtureRequest, engine: Engine) -> tuple[str, Aside]:
    """A container whose start is under way, for longer each time."""
    _, made = engine.create(Cmd=SLEEP)
    start = Aside(engine, "POST", f"/containers/{made['Id']}/start")
    time.sleep(request.param)
    return made["Id"], start


def test_a_stop_during_a_start_stops(engine: Engine, started: tuple[str, Aside]) -> None:
    container_id, start = started
    status, _ = engine.api("POST", f"/containers/{container_id}/stop?t=0")
    assert start.status() == 204
    running = engine.get(f"/containers/{container_id}/json")["State"]["Running"]
    # Whoever came first: a stop that had nothing to stop says so.
    assert (status, running) in ((204, False), (304, True))


def test_a_stop_that_comes_later_than_the_start_is_never_too_early(engine: Engine) -> None:
    for _ in range(5):
        _, made = engine.create(Cmd=SLEEP)
        start = Aside(engine, "POST", f"/containers/{made['Id']}/start")
        time.sleep(0.008)
        assert engine.api("POST", f"/containers/{made['Id']}/stop?t=0")[0] == 204
        assert start.status() == 204
        assert not engine.get(f"/containers/{made['Id']}/json")["State"]["Running"]


def test_removing_by_force_during_a_start_removes(engine: Engine, started: tuple[str, Aside]) -> None:
    container_id, start = started
    assert engine.api("DELETE", f"/containers/{container_id}?force=1")[0] == 204
    assert start.status() in (204, 404, 409)
    assert engine.api("GET", f"/containers/{container_id}/json")[0] == 404


def test_renaming_what_is_being_removed(engine: Engine) -> None:
    statuses = set()
    for number in range(10):
        _, made = engine.create(Cmd=["true"], HostConfig={"AutoRemove": True})
        engine.api("POST", f"/containers/{made['Id']}/start")
        for attempt in range(8):
            status, _ = engine.api("POST", f"/containers/{made['Id']}/rename?name=r{number}x{attempt}")
            statuses.add(status)
    assert statuses <= {204, 404}


def test_an_exec_while_its_container_ends(engine: Engine) -> None:
    answers: list[tuple[int, Any]] = []
    for _ in range(6):
        _, made = engine.create(Cmd=["sleep", "0.1"], HostConfig={"AutoRemove": True})
        engine.api("POST", f"/containers/{made['Id']}/start")
        status = 201
        while status == 201:
            status, exec_ = engine.api("POST", f"/containers/{made['Id']}/exec", {"Cmd": ["true"]})
            answers.append((status, exec_))
            if status == 201:
                answers.append(engine.api("POST", f"/exec/{exec_['Id']}/start", {"Detach": True}))
    assert {status for status, _ in answers} <= {200, 201, 404, 409}, [
        answer for answer in answers if answer[0] not in (200, 201, 404, 409)
    ]


def test_who_attaches_to_what_is_never_started_is_let_go(engine: Engine) -> None:
    _, made = engine.create(Cmd=["true"])
    with engine.connect() as connection:
        connection.sendall(
            f"POST /containers/{made['Id']}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
            "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert b"101" in connection.recv(4096)
        engine.api("DELETE", f"/containers/{made['Id']}")
        assert connection.recv(4096) == b""


def test_options_for_the_default_log_driver(engine: Engine) -> None:
    made = (
        engine.docker("create", "--log-opt", "max-size=10m", "lading/starter", "true").stdout.decode().strip()
    )
    log = engine.get(f"/containers/{made}/json")["HostConfig"]["LogConfig"]
    assert log == {"Type": "json-file", "Config": {"max-size": "10m"}}
    refused = engine.docker("create", "--log-opt", "bogus=1", "lading/starter", "true", check=False)
    assert b"unknown log opt 'bogus' for json-file log driver" in refused.stderr
