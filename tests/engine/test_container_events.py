"""Each event of a container, with the attributes docker gives it, and what its end says."""

import io
import json
import os
import signal
import socket
import tarfile
import time
from typing import Any
from urllib.parse import quote

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

IDLE = ("sleep", "1000")


class Watched:
    """A container, and what was told of it since the last look."""

    def __init__(self, engine: Engine, *words: str, flags: tuple[str, ...] = ()) -> None:
        self.engine = engine
        self._since = time.time_ns()
        made = engine.docker("create", "--label=who=me", *flags, IMAGE, *(words or IDLE))
        self.id = made.stdout.decode().strip()
        self.name = engine.get(f"/containers/{self.id}/json")["Name"].removeprefix("/")
        self.labels = engine.get(f"/containers/{self.id}/json")["Config"]["Labels"]

    def told(self) -> list[tuple[str, dict[str, str]]]:
        """Actions, with those attributes that not every event has."""
        until = time.time_ns()
        filters = quote(json.dumps({"container": [self.id]}))
        span = f"since={_seconds(self._since)}&until={_seconds(until)}"
        _, answer = self.engine.api("GET", f"/events?{span}&filters={filters}")
        lines = [answer] if isinstance(answer, dict) else [json.loads(line) for line in answer.splitlines()]
        self._since = until + 1
        return [(line["Action"], self._special(line)) for line in lines if line["Type"] == "container"]

    def told_until(self, action: str) -> list[tuple[str, dict[str, str]]]:
        """As `told`, waiting for an event the engine itself has yet to hear of."""
        events: list[tuple[str, dict[str, str]]] = []

        def complete() -> bool:
            events.extend(self.told())
            return action in [event[0] for event in events]

        wait_for(complete)
        return events

    def _special(self, line: dict[str, Any]) -> dict[str, str]:
        attributes = dict(line["Actor"]["Attributes"])
        assert line["Actor"]["ID"] == line["id"] == self.id
        assert (line["status"], line["from"], line["scope"]) == (line["Action"], IMAGE, "local")
        assert attributes.pop("image") == IMAGE
        self.name = attributes.pop("name")
        for key, value in self.labels.items():
            assert attributes.pop(key) == value
        return attributes

    def post(self, path: str, body: Any = None) -> Any:
        status, answer = self.engine.api("POST", f"/containers/{self.id}/{path}", body)
        assert status < 300, answer
        return answer


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


@pytest.fixture
def watched(engine: Engine) -> Watched:
    return Watched(engine)


def test_create_start_stop_restart_kill_destroy(watched: Watched) -> None:
    assert watched.told() == [("create", {})]
    watched.post("start")
    assert watched.told() == [("start", {})]
    watched.post("stop?t=0")
    killed = [("kill", {"signal": "15"}), ("kill", {"signal": "9"})]
    died = ("die", {"exitCode": "137", "execDuration": "0"})
    assert watched.told() == [*killed, died, ("stop", {})]
    watched.post("start")
    watched.post("restart?t=0")
    assert watched.told() == [("start", {}), *killed, died, ("stop", {}), ("start", {}), ("restart", {})]
    watched.post("kill?signal=SIGUSR1")
    assert watched.told()[0] == ("kill", {"signal": "10"})
    assert watched.engine.api("DELETE", f"/containers/{watched.id}?force=1")[0] == 204
    assert watched.told()[-3:] == [("kill", {"signal": "9"}), died, ("destroy", {})]


def test_pause_unpause_rename_update_resize_top(engine: Engine) -> None:
    watched = Watched(engine, flags=("-t",))
    old = watched.name
    watched.post("start")
    watched.told()
    watched.post("pause")
    watched.post("unpause")
    assert watched.told() == [("pause", {}), ("unpause", {})]
    watched.post("rename?name=another")
    assert watched.told() == [("rename", {"oldName": f"/{old}"})]
    assert watched.name == "another"
    watched.post("update", {"RestartPolicy": {"Name": "no"}})
    assert watched.told() == [("update", {})]
    watched.post("resize?h=10&w=20")
    assert watched.told() == [("resize", {"height": "10", "width": "20"})]
    engine.get(f"/containers/{watched.id}/top")
    assert watched.told() == [("top", {})]


def test_attach_and_detach(engine: Engine) -> None:
    watched = Watched(engine, "cat", flags=("-it",))
    watched.post("start")
    watched.told()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(engine.socket))
        head = f"POST /containers/{watched.id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
        client.sendall(f"{head}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
        assert b"101" in client.recv(4096)
        client.sendall(b"\x10\x11")
        while client.recv(4096):
            pass
    assert watched.told_until("detach") == [("attach", {}), ("detach", {})]


def test_exec_create_start_die_and_detach(engine: Engine) -> None:
    watched = Watched(engine)
    watched.post("start")
    watched.told()
    key = watched.post("exec", {"Cmd": ["sh", "-c", "exit 3"]})["Id"]
    assert watched.told() == [("exec_create: sh -c exit 3", {"execID": key})]
    engine.api("POST", f"/exec/{key}/start", {"Detach": True})
    wait_for(lambda: engine.get(f"/exec/{key}/json")["ExitCode"] == 3)
    assert watched.told() == [
        ("exec_start: sh -c exit 3", {"execID": key}),
        ("exec_die", {"execID": key, "exitCode": "3"}),
    ]
    key = watched.post("exec", {"Cmd": ["cat"], "Tty": True, "AttachStdin": True, "AttachStdout": True})["Id"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(engine.socket))
        body = b'{"Tty": true}'
        head = f"POST /exec/{key}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        client.sendall(
            f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        assert b"101" in client.recv(4096)
        wait_for(lambda: engine.get(f"/exec/{key}/json")["Running"])
        client.sendall(b"\x10\x11")
        while client.recv(4096):
            pass
    told = watched.told_until("exec_detach")
    assert ("exec_create: cat ", {"execID": key}) in told
    assert told[-1] == ("exec_detach", {"execID": key})


def test_health_checks_are_told_as_execs_and_by_their_verdict(engine: Engine) -> None:
    watched = Watched(engine, flags=("--health-cmd=exit 0", "--health-interval=1s"))
    watched.post("start")
    wait_for(lambda: engine.get(f"/containers/{watched.id}/json")["State"]["Health"]["Status"] == "healthy")
    watched.post("pause")
    told = watched.told()[2:-1]
    key = told[0][1]["execID"]
    assert told == [
        ("exec_create: /bin/sh -c exit 0", {"execID": key}),
        ("exec_start: /bin/sh -c exit 0", {"execID": key}),
        ("exec_die", {"execID": key, "exitCode": "0"}),
        ("health_status: healthy", {}),
    ]


def test_copying_and_exporting(watched: Watched) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("file"))
    watched.engine.docker("cp", "-", f"{watched.id}:/tmp", input=packed.getvalue())
    watched.engine.docker("cp", f"{watched.id}:/tmp/file", "-")
    watched.engine.docker("export", watched.id)
    told = [event for event in watched.told() if event[0] != "create"]
    assert ("extract-to-dir", {}) in told
    assert ("archive-path", {}) in told
    assert told[-1] == ("export", {})


def test_prune_tells_what_it_gave_back(watched: Watched) -> None:
    engine = watched.engine
    since = time.time()
    done = engine.docker("container", "prune", "-f")
    assert watched.id in done.stdout.decode()
    filters = quote(json.dumps({"event": ["prune"], "type": ["container"]}))
    _, event = engine.api("GET", f"/events?since={since:.9f}&until={time.time():.9f}&filters={filters}")
    assert (event["Actor"]["ID"], list(event["Actor"]["Attributes"])) == ("", ["reclaimed"])
    assert watched.told()[-1] == ("destroy", {})


def test_commit_tells_of_the_image(watched: Watched) -> None:
    made = watched.engine.docker("commit", "-m", "a word", watched.id, "made:one").stdout.decode().strip()
    action, attributes = watched.told()[-1]
    assert (action, attributes) == (
        "commit",
        {"comment": "a word", "imageID": made, "imageRef": "made:one"},
    )
    watched.engine.docker("rmi", "made:one")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_a_signal_is_128_more_as_exit_code(engine: Engine, number: signal.Signals) -> None:
    watched = Watched(engine, "sh", "-c", f"kill -{int(number)} $$; sleep 1000", flags=("--init",))
    if engine.api("POST", f"/containers/{watched.id}/start")[0] != 204:
        pytest.skip("there is no init program here")
    engine.docker("wait", watched.id)
    assert watched.told()[-1] == ("die", {"exitCode": str(128 + number), "execDuration": "0"})
    assert engine.get(f"/containers/{watched.id}/json")["State"]["ExitCode"] == 128 + number


def test_a_signal_from_outside_too(engine: Engine) -> None:
    watched = Watched(engine)
    watched.post("start")
    os.kill(engine.get(f"/containers/{watched.id}/json")["State"]["Pid"], signal.SIGKILL)
    engine.docker("wait", watched.id)
    assert watched.told()[-1] == ("die", {"exitCode": "137", "execDuration": "0"})


EATER = "(echo 1000 > /proc/self/oom_score_adj; exec tail -c 200m /dev/zero)"
LIMITED = ("--memory=20m", "--memory-swap=20m")


def test_a_container_that_is_killed_for_want_of_memory(engine: Engine) -> None:
    watched = Watched(engine, "tail", "-c", "200m", "/dev/zero", flags=LIMITED)
    watched.post("start")
    engine.docker("wait", watched.id)
    told = watched.told()
    assert told[-2:] == [
        ("oom", {}),
        ("die", {"exitCode": "137", "execDuration": told[-1][1]["execDuration"]}),
    ]
    assert [action for action, _ in told].count("oom") == 1
    state = engine.get(f"/containers/{watched.id}/json")["State"]
    assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)
    # The next life begins without it.
    watched.post("start")
    engine.docker("wait", watched.id)
    assert [action for action, _ in watched.told()].count("oom") == 1


def test_a_process_that_is_killed_for_want_of_memory_while_its_container_lives(engine: Engine) -> None:
    watched = Watched(engine, "sh", "-c", f"{EATER}; {EATER}; exec sleep 1000", flags=LIMITED)
    watched.post("start")
    wait_for(lambda: engine.get(f"/containers/{watched.id}/json")["State"]["OOMKilled"])
    seen: list[str] = []

    def twice() -> bool:
        seen.extend(action for action, _ in watched.told())
        return seen.count("oom") == 2

    wait_for(twice)
    assert engine.get(f"/containers/{watched.id}/json")["State"]["Running"]
    engine.kill()
    engine.start()
    time.sleep(0.2)
    # Told already; the engine that comes back does not tell again.
    assert [action for action, _ in watched.told()] == []
    watched.post("stop?t=0")
    assert engine.get(f"/containers/{watched.id}/json")["State"]["OOMKilled"]
    assert "oom" not in [action for action, _ in watched.told()]
