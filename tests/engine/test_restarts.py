"""Restart policies: after an exit, after the engine was away, after the machine was."""

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

IDLE = ("sleep", "1000")


def _run(engine: Engine, *words: str) -> str:
    return engine.docker("run", "-d", *words).stdout.decode().strip()


def _shown(engine: Engine, container: str) -> dict[str, Any]:
    shown: dict[str, Any] = engine.get(f"/containers/{container}/json")
    return shown


def _status(engine: Engine, container: str) -> str:
    return str(_shown(engine, container)["State"]["Status"])


def _runs(engine: Engine, container: str) -> bool:
    return _status(engine, container) == "running"


def _pauses(engine: Engine, container: str, count: int) -> bool:
    """Whether it waits for its restart number `count`, or a later one."""
    shown = _shown(engine, container)
    return bool(shown["RestartCount"] >= count and shown["State"]["Status"] == "restarting")


def _lives_again(engine: Engine, container: str, count: int) -> bool:
    shown = _shown(engine, container)
    return bool(shown["RestartCount"] == count and shown["State"]["Status"] == "running")


def _kill(engine: Engine, container: str) -> None:
    """Kills its first process behind the engine's back."""
    pid = _shown(engine, container)["State"]["Pid"]
    # Between two lives it is 0, which to the kernel means our own process group.
    assert pid > 0
    os.kill(pid, signal.SIGKILL)


def _events(engine: Engine, container: str, since: float) -> list[dict[str, Any]]:
    lines = engine.docker(
        "events", f"--since={since}", f"--until={time.time()}", f"--filter=container={container}",
        "--format={{json .}}",
    ).stdout.splitlines()  # fmt: skip
    return [json.loads(line) for line in lines]


def _restart_machine(engine: Engine) -> None:
    """As after a power cut: no process, mount, interface or runtime file is left."""
    engine.kill()
    os.kill(engine.keeper_pid(), signal.SIGKILL)
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            groups = Path(f"/proc/{name}/cgroup").read_text()
            if any(container in groups for container in engine.ever_created):
                os.kill(int(name), signal.SIGKILL)
    for mount in reversed(engine.mounts()):
        os.system(f"umount -l {mount}")
    os.system(f"ip link del {engine.bridge}")
    os.system(f"nft delete table inet lading-{engine.bridge}")
    shutil.rmtree(engine.exec_root)
    engine.start()


def test_the_pause_doubles_and_events_and_inspect_tell_of_it(engine: Engine) -> None:
    since = time.time()
    container = _run(engine, "--restart=on-failure:3", IMAGE, "sh", "-c", "exit 7")
    engine.docker("wait", container)
    shown = _shown(engine, container)
    assert shown["RestartCount"] == 3
    assert (shown["State"]["Status"], shown["State"]["ExitCode"]) == ("exited", 7)
    events = _events(engine, container, since)
    actions = [event["Action"] for event in events]
    assert actions == ["create", *["start", "die"] * 4]
    ends = [event["Actor"]["Attributes"] for event in events if event["Action"] == "die"]
    assert {(end["exitCode"], end["execDuration"]) for end in ends} == {("7", "0")}
    lives = [event["timeNano"] for event in events if event["Action"] in ("start", "die")]
    pauses = [start - die for die, start in itertools.pairwise(lives[1:])][::2]
    for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert pause >= least * 1e9


def test_an_exit_of_success_ends_on_failure(engine: Engine) -> None:
    container = _run(engine, "--restart=on-failure", IMAGE, "true")
    engine.docker("wait", container)
    assert (_status(engine, container), _shown(engine, container)["RestartCount"]) == ("exited", 0)


@pytest.mark.parametrize("end", ["stop", "kill", "rm -f"])
def test_a_restarting_container_can_be_ended_between_two_lives(engine: Engine, end: str) -> None:
    container = _run(engine, "--restart=always", IMAGE, "false")
    wait_for(lambda: _pauses(engine, container, 3))
    assert "Restarting (1)" in engine.docker("ps", "--format={{.Status}}").stdout.decode()
    refused = engine.docker("exec", container, "true", check=False).stderr.decode()
    assert f"container {container} is restarting, wait until the container is running" in refused
    engine.docker(*end.split(), container)
    time.sleep(2)
    left = engine.get("/containers/json?all=1")
    assert [one["State"] for one in left] == ([] if end == "rm -f" else ["exited"])


def test_a_start_by_the_user_does_not_wait_and_counts_anew(engine: Engine) -> None:
    container = _run(engine, "--restart=always", IMAGE, "sh", "-c", "test -e /stay && sleep 1000")
    wait_for(lambda: _shown(engine, container)["RestartCount"] >= 4)
    wait_for(lambda: _status(engine, container) == "restarting")
    engine.docker("restart", container)
    assert _shown(engine, container)["RestartCount"] <= 1


def test_a_policy_changed_later_counts_at_the_next_exit(engine: Engine) -> None:
    container = _run(engine, IMAGE, *IDLE)
    engine.docker("update", "--restart=always", container)
    _kill(engine, container)
    wait_for(lambda: _lives_again(engine, container, 1))
    engine.docker("update", "--restart=no", container)
    _kill(engine, container)
    wait_for(lambda: _status(engine, container) == "exited")
    assert _shown(engine, container)["State"]["ExitCode"] == 137


POLICIES = ("no", "on-failure:3", "unless-stopped", "always")


def _one_of_each(engine: Engine) -> dict[str, str]:
    """A running, a stopped, a failed and a created container of each policy, by what it is."""
    made = {}
    for policy in POLICIES:
        flag = f"--restart={policy}"
        made[f"running {policy}"] = _run(engine, flag, IMAGE, *IDLE)
        made[f"stopped {policy}"] = _run(engine, flag, IMAGE, *IDLE)
        made[f"created {policy}"] = engine.docker("create", flag, IMAGE, *IDLE).stdout.decode().strip()
    for policy in POLICIES:
        engine.docker("stop", "-t0", made[f"stopped {policy}"])
    engine.ever_created |= set(made.values())
    return made


@pytest.mark.parametrize("way", ["stop", "kill", "machine"])
def test_policies_over_an_absence(new_engine: Callable[..., Engine], way: str) -> None:
    engine = new_engine()
    made = _one_of_each(engine)
    pids = {name: _shown(engine, container)["State"]["Pid"] for name, container in made.items()}
    if way == "machine":
        _restart_machine(engine)
    else:
        getattr(engine, way)()
        engine.start()
    expected = {
        *(f"running {policy}" for policy in POLICIES if way != "machine" or policy != "no"),
        "stopped always",
    }
    wait_for(lambda: len(engine.get("/containers/json")) >= len(expected))
    time.sleep(0.5)
    assert {name for name, container in made.items() if _runs(engine, container)} == expected
    states = {name: _shown(engine, container)["State"] for name, container in made.items()}
    for name in POLICIES:
        same = states[f"running {name}"]["Pid"] == pids[f"running {name}"]
        assert same is (way != "machine")
    if way == "machine":
        assert (states["running no"]["Status"], states["running no"]["ExitCode"]) == ("exited", 255)
    assert {state["Status"] for name, state in states.items() if name.startswith("created")} == {"created"}
    for name in expected:
        engine.docker("exec", made[name], "true")


@pytest.mark.parametrize("way", ["kill", "machine"])
def test_a_pause_goes_on_after_an_absence(new_engine: Callable[..., Engine], way: str) -> None:
    engine = new_engine()
    container = _run(engine, "--restart=on-failure:5", IMAGE, "sh", "-c", "exit 3")
    engine.ever_created.add(container)
    wait_for(lambda: _pauses(engine, container, 4))
    if way == "kill":
        engine.kill()
        engine.start()
    else:
        _restart_machine(engine)
    wait_for(lambda: _status(engine, container) == "exited")
    shown = _shown(engine, container)
    assert (shown["RestartCount"], shown["State"]["ExitCode"]) == (5, 3)


def test_exits_during_an_absence_are_dealt_with_afterwards(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    script = ("sh", "-c", "sleep 1; exit 4")
    again = _run(engine, "--restart=on-failure", IMAGE, *script)
    done = _run(engine, IMAGE, *script)
    gone = _run(engine, "--rm", IMAGE, *script)
    engine.kill()
    time.sleep(1.5)
    engine.start()
    wait_for(lambda: _shown(engine, again)["RestartCount"] >= 1)
    assert (_status(engine, done), _shown(engine, done)["State"]["ExitCode"]) == ("exited", 4)
    assert engine.api("GET", f"/containers/{gone}/json")[0] == 404


def _started(engine: Engine, container: str) -> str:
    return str(_shown(engine, container)["State"]["StartedAt"])


def test_labels_order_the_start_with_the_engine(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    always = ("--restart=always",)
    order = ("--label=lading.start.when=healthy", "--label=lading.start.after=db,nobody")
    web = _run(engine, *always, *order, "--name=web", IMAGE, *IDLE)
    check = ("--health-cmd=test -e /ready", "--health-interval=50ms", "--health-retries=1000")
    db = _run(engine, *always, *check, "--name=db", IMAGE, "sh", "-c", "rm -f /ready; sleep 1000")
    shared = _run(engine, *always, "--network=container:web", IMAGE, *IDLE)
    round_trip = [
        _run(engine, *always, f"--label=lading.start.after={other}", f"--name={name}", IMAGE, *IDLE)
        for name, other in (("hen", "egg"), ("egg", "hen"))
    ]
    engine.ever_created |= {web, db, shared, *round_trip}
    _restart_machine(engine)
    for container in (db, *round_trip):
        wait_for(lambda key=container: _runs(engine, key))
    time.sleep(0.5)
    assert (_status(engine, web), _status(engine, shared)) == ("exited", "exited")
    engine.docker("exec", db, "touch", "/ready")
    wait_for(lambda: _runs(engine, shared))
    assert _started(engine, db) < _started(engine, web) < _started(engine, shared)
    assert "container web does not wait for nobody" in engine.log()
    assert "containers egg, hen wait for each other" in engine.log()


def test_who_waits_goes_on_when_the_other_will_not_be_what_it_is_to_be(
    new_engine: Callable[..., Engine],
) -> None:
    engine = new_engine()
    order = ("--restart=always", "--label=lading.start.when=healthy")
    ill = ("--health-cmd=false", "--health-interval=50ms", "--health-retries=3")
    others = {
        "ill": _run(engine, "--restart=always", *ill, "--name=ill", IMAGE, *IDLE),
        "unchecked": _run(engine, "--restart=always", "--name=unchecked", IMAGE, *IDLE),
        "failing": _run(
            engine, "--restart=on-failure:6", "--health-cmd=true", "--name=failing", IMAGE, "false"
        ),
    }
    wait_for(lambda: _pauses(engine, others["failing"], 5))
    waiting = [_run(engine, *order, f"--label=lading.start.after={name}", IMAGE, *IDLE) for name in others]
    engine.ever_created |= {*others.values(), *waiting}
    _restart_machine(engine)
    for container in waiting:
        wait_for(lambda key=container: _runs(engine, key))
    log = engine.log()
    assert "container ill is not healthy" in log
    assert "container failing is not healthy" in log
    assert "container unchecked has no health check" in log
    ended = _shown(engine, others["failing"])
    assert (ended["State"]["Status"], ended["RestartCount"]) == ("exited", 6)


def test_a_user_need_not_wait_for_the_order(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    never = ("--health-cmd=false", "--health-interval=50ms", "--health-retries=100000")
    order = ("--label=lading.start.when=healthy", "--label=lading.start.after=db")
    db = _run(engine, "--restart=always", *never, "--name=db", IMAGE, *IDLE)
    web, other = (_run(engine, "--restart=always", *order, IMAGE, *IDLE) for _ in range(2))
    engine.ever_created |= {db, web, other}
    _restart_machine(engine)
    wait_for(lambda: _runs(engine, db))
    engine.docker("start", web)
    assert _runs(engine, web)
    # One who stops it does not want it to start later.
    engine.docker("stop", other)
    engine.docker("stop", "-t0", db)
    time.sleep(0.5)
    assert _status(engine, other) == "exited"


def test_many_come_back_all_at_once(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    made = []
    for number in range(60):
        policy = {"RestartPolicy": {"Name": "always" if number % 3 == 0 else "no"}}
        _, answer = engine.create(Cmd=IDLE if number % 3 == 0 else ["true"], HostConfig=policy)
        assert engine.api("POST", f"/containers/{answer['Id']}/start")[0] == 204
        made.append(answer["Id"])
    _restart_machine(engine)
    wait_for(lambda: len(engine.get("/containers/json")) == 20)
    running = {one["Id"] for one in engine.get("/containers/json")}
    assert running == set(made[::3])
    assert {one["Id"] for one in engine.get("/containers/json?all=1")} == set(made)
    addresses = {_shown(engine, one)["NetworkSettings"]["IPAddress"] for one in running}
    assert len(addresses - {""}) == 20


def test_an_engine_that_is_killed_while_it_starts_containers(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    chance = random.Random(3)
    check = {"Test": ["CMD", "true"], "Interval": 100_000_000}
    host = {"RestartPolicy": {"Name": "always"}, "PortBindings": {"80/tcp": [{"HostPort": ""}]}}
    made = []
    for _ in range(12):
        _, answer = engine.create(Cmd=IDLE, HostConfig=host, Healthcheck=check)
        status, why = engine.api("POST", f"/containers/{answer['Id']}/start")
        assert status == 204, (why, engine.log())
        made.append(answer["Id"])
    _restart_machine(engine)
    for _ in range(8):
        time.sleep(chance.uniform(0, 0.1))
        engine.kill()
        engine.start()
    wait_for(lambda: len(engine.get("/containers/json")) == 12)
    for container in made:
        wait_for(lambda key=container: _shown(engine, key)["State"]["Health"]["Status"] == "healthy")
        assert engine.docker("exec", container, "true", check=False).returncode == 0
    ports = {
        _shown(engine, container)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] for container in made
    }
    assert len(ports) == 12
    assert "Traceback" not in (engine.directory / "log").read_text()
