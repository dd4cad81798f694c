"""Steering containers that run: pausing, limits, what runs in them, and clearing them away."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from docker.errors import APIError
from tests.engine.engine import IMAGE, Engine, since_cli, wait_for

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


# --- limits


def _limits(engine: Engine, name: str, *names: str) -> list[Any]:
    host = engine.get(f"/containers/{name}/json")["HostConfig"]
    return [host[key] for key in names]


def _in_force(engine: Engine, name: str, controller: str, file: str) -> str:
    identifier = engine.get(f"/containers/{name}/json")["Id"]
    return Path(f"/sys/fs/cgroup/{controller}/lading/{identifier}/{file}").read_text().strip()


_MIB = 1024 * 1024

needs_version_1 = pytest.mark.skipif(
    Path("/sys/fs/cgroup/cgroup.controllers").exists(), reason="looks at files of control groups of version 1"
)


@needs_version_1
@pytest.mark.parametrize("client", ["docker", "lading"])
def test_limits_change_while_the_container_runs_and_stay_so(new_engine: NewEngine, client: str) -> None:
    engine = new_engine()
    _run(engine, "tuned")
    flags = (
        *("--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m"),
        *("--cpu-shares", "300", "--cpus", "0.5", "--cpuset-cpus", "0", "--cpuset-mems", "0"),
        *("--pids-limit", "44", "--restart", "on-failure:3"),
    )
    assert getattr(engine, client)("update", *flags, "tuned").stdout == b"tuned\n"
    names = ("Memory", "MemorySwap", "MemoryReservation", "CpuShares", "NanoCpus", "CpusetCpus", "PidsLimit")

    def proved() -> None:
        shown = _limits(engine, "tuned", *names)
        assert shown == [64 * _MIB, 96 * _MIB, 32 * _MIB, 300, 500_000_000, "0", 44]
        assert _limits(engine, "tuned", "RestartPolicy") == [{"Name": "on-failure", "MaximumRetryCount": 3}]
        for controller, file, text in (
            ("memory", "memory.limit_in_bytes", str(64 * _MIB)),
            ("memory", "memory.memsw.limit_in_bytes", str(96 * _MIB)),
            ("memory", "memory.soft_limit_in_bytes", str(32 * _MIB)),
            ("cpu", "cpu.shares", "300"),
            ("cpu", "cpu.cfs_quota_us", "50000"),
            ("cpuset", "cpuset.cpus", "0"),
            ("pids", "pids.max", "44"),
        ):
            assert _in_force(engine, "tuned", controller, file) == text, file

    proved()
    assert _actions(engine, "tuned")[-1] == "update"
    engine.kill()
    engine.start()
    engine.docker("restart", "-t", "0", "tuned")
    proved()
    # Down again, past the swap that was set: the two change in the order the kernel wants.
    engine.docker("update", "--memory", "16m", "--memory-swap", "16m", "--pids-limit", "-1", "tuned")
    assert _in_force(engine, "tuned", "memory", "memory.memsw.limit_in_bytes") == str(16 * _MIB)
    assert _in_force(engine, "tuned", "pids", "pids.max") == "max"
    engine.docker("update", "--memory", "128m", "--memory-swap", "-1", "tuned")
    assert _limits(engine, "tuned", "Memory", "MemorySwap", "PidsLimit") == [128 * _MIB, -1, 0]


def test_updates_that_cannot_be(engine: Engine) -> None:
    engine.docker("create", "--name", "fixed", "--memory", "32m", "--cpu-quota", "20000", IMAGE, "true")
    engine.docker("create", "--name", "passing", "--rm", IMAGE, "true")
    before = engine.get("/containers/fixed/json")["HostConfig"]
    for flags, said in (
        (["--memory", "1m", "fixed"], "Minimum memory limit allowed is 6MB"),
        (["--memory", "1g", "fixed"], "Memory limit should be smaller than already set memoryswap limit"),
        (["--cpus", "1", "fixed"], "Nano CPUs cannot be updated as CPU Quota has already been set"),
        (["--cpuset-cpus", "99", "fixed"], "Requested CPUs are not available"),
        (["--restart", "sometimes", "fixed"], "unknown policy 'sometimes'"),
        (
            ["--restart", "always", "passing"],
            "Restart policy cannot be updated because AutoRemove is enabled",
        ),
        (["--memory", "64m", "nosuch"], "No such container: nosuch"),
    ):
        for client in (engine.docker, engine.lading):
            done = client("update", *flags, check=False)
            assert (done.returncode, done.stdout) == (1, b"")
            assert said in done.stderr.decode()
    assert engine.get("/containers/fixed/json")["HostConfig"] == before
    assert b"you must provide one or more flags" in engine.lading("update", "fixed", check=False).stderr


def test_what_the_kernel_lacks_is_a_warning_of_the_update(engine: Engine) -> None:
    container = engine.py.containers.create(IMAGE, ["true"])
    answer = container.update(blkio_weight=300)
    if Path("/sys/fs/cgroup/blkio/blkio.weight").exists():
        assert answer == {"Warnings": None}
    else:
        assert "Your kernel does not support Block I/O weight" in answer["Warnings"][0]


@needs_version_1
def test_what_the_kernel_refuses_changes_nothing(engine: Engine) -> None:
    _run(
        engine,
        "fed",
        "sh",
        "-c",
        "head -c 30m /dev/zero > /dev/shm/full; echo full; sleep 100",
        flags=("-m", "48m"),
    )
    wait_for(lambda: engine.docker("logs", "fed").stdout == b"full\n")
    before = _limits(engine, "fed", "Memory", "MemorySwap", "PidsLimit")
    done = engine.docker(
        "update", "--memory", "8m", "--memory-swap", "8m", "--pids-limit", "9", "fed", check=False
    )
    assert done.returncode == 1
    assert b"Cannot update container" in done.stderr
    assert b"the kernel refuses it: Device or resource busy" in done.stderr
    container = engine.py.containers.get("fed")
    with pytest.raises(APIError) as refused:
        container.update(cpu_quota=1 << 60)
    assert refused.value.status_code == 400
    assert _limits(engine, "fed", "Memory", "MemorySwap", "PidsLimit") == before
    assert _in_force(engine, "fed", "memory", "memory.limit_in_bytes") == str(48 * _MIB)


# --- processes


def test_top_shows_what_runs_inside(engine: Engine) -> None:
    _run(engine, "busy", "sh", "-c", "sleep 1234 & exec sleep 5678")
    wait_for(lambda: len(engine.get("/containers/busy/top")["Processes"]) == 2)
    engine.docker("exec", "-d", "busy", "sleep", "77")
    wait_for(lambda: len(engine.get("/containers/busy/top")["Processes"]) == 3)
    shown = engine.py.containers.get("busy").top()
    assert shown["Titles"] == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    assert sorted(row[-1] for row in shown["Processes"]) == ["sleep 1234", "sleep 5678", "sleep 77"]
    assert str(_state(engine, "busy")["Pid"]) in [row[1] for row in shown["Processes"]]
    for arguments in (["-eo", "pid,comm"], ["faux"], ["-o", "pid,args"]):
        theirs = engine.docker("top", "busy", *arguments).stdout
        assert theirs.count(b"sleep") == 3
        if arguments != ["faux"]:
            assert engine.lading("top", "busy", *arguments).stdout == theirs
    assert _actions(engine, "busy")[-1] == "top"


def test_top_that_cannot_be(engine: Engine) -> None:
    _run(engine, "busy")
    engine.docker("create", "--name", "idle", IMAGE, "true")
    for words, said in (
        (["busy", "-o", "comm"], "Couldn't find PID field in ps output"),
        (["busy", "-o", "pid=1 -o ppid=PID"], 'specifying "ppid=PID" is not allowed'),
        (["busy", "--nonsense"], "error: unknown gnu long option"),
        (["idle"], "is not running"),
        (["nosuch"], "No such container: nosuch"),
    ):
        for client in (engine.docker, engine.lading):
            done = client("top", *words, check=False)
            assert done.returncode == 1
            assert said in done.stderr.decode()


# --- clearing away


@pytest.mark.parametrize("client", [pytest.param("docker", marks=since_cli(25)), "lading"])
def test_pruning_removes_what_does_not_run(engine: Engine, client: str) -> None:
    _run(engine, "runs")
    _run(engine, "rests")
    engine.docker("pause", "rests")
    write = ("sh", "-c", "head -c 123456 /dev/zero > /big")
    engine.docker("run", "--name", "ended", "--label", "keep=no", IMAGE, *write)
    engine.docker("create", "--name", "fresh", "--label", "keep=yes", IMAGE, "true")
    identifiers = {name: engine.get(f"/containers/{name}/json")["Id"] for name in ("ended", "fresh")}
    command = getattr(engine, client)
    kept = command("container", "prune", "-f", "--filter", "until=1h")
    assert kept.stdout == b"Total reclaimed space: 0B\n"
    done = command("container", "prune", "-f", "--filter", "label!=keep=yes").stdout.decode()
    assert done == f"Deleted Containers:\n{identifiers['ended']}\n\nTotal reclaimed space: 123.5kB\n"
    refused = command("container", "prune", input=b"n\n")
    assert refused.stdout.endswith(b"Are you sure you want to continue? [y/N] ")
    assert len(engine.get("/containers/json?all=1")) == 3
    command("container", "prune", "--filter", "label=keep", input=b"y\n")
    left = {name for shown in engine.get("/containers/json?all=1") for name in shown["Names"]}
    assert left == {"/runs", "/rests"}


def test_pruning_that_cannot_be(engine: Engine) -> None:
    with pytest.raises(APIError, match="invalid filter 'name'"):
        engine.py.containers.prune({"name": "x"})
    with pytest.raises(APIError, match="more than one until filter specified"):
        engine.py.containers.prune({"until": ["1h", "2h"]})
    assert engine.py.containers.prune() == {"ContainersDeleted": None, "SpaceReclaimed": 0}


# --- lists


def test_lists_by_every_filter(engine: Engine, tmp_path: Path) -> None:
    bind = str(tmp_path)
    flags = ("-p", "127.0.0.1::80", "--expose", "5000-5002", "-v", f"{bind}:/bound", "-v", "vault:/deep")
    engine.docker("create", "--name", "early", *flags, IMAGE, "true")
    engine.docker("run", "--name", "failed", "--network", "none", IMAGE, "sh", "-c", "exit 4", check=False)
    _run(engine, "running", "sh", "-c", "echo 1234567 > /big; sleep 100", flags=("--expose", "53/udp"))
    engine.docker("run", "--name", "made", IMAGE, "sh", "-c", "echo x > /x")
    engine.docker("commit", "made", "derived:1")
    engine.docker("create", "--name", "late", "-l", "tier=web", "derived:1", "true")
    try:
        network = engine.get("/networks/bridge")["Id"]
        everything = ["late", "made", "running", "failed", "early"]
        for words, names in (
            (["publish=80"], ["early"]),
            (["publish=79-81/tcp"], ["early"]),
            (["publish=80/udp"], []),
            (["expose=5001"], ["early"]),
            (["expose=53/udp"], ["running"]),
            (["publish=80", "expose=53/udp"], ["running", "early"]),
            (["volume=vault"], ["early"]),
            (["volume=/deep"], ["early"]),
            ([f"volume={bind}"], ["early"]),
            (["network=none"], ["failed"]),
            ([f"network={network[:7]}"], ["running"]),
            (["exited=4"], ["failed"]),
            (["exited=4", "exited=0"], ["made", "failed"]),
            (["ancestor=derived:1"], ["late"]),
            ([f"ancestor={IMAGE}"], everything),
            (["before=running"], ["failed", "early"]),
            (["since=failed", "before=late"], ["made", "running"]),
            (["label=tier=web"], ["late"]),
            (["status=created"], ["late", "early"]),
            (["health=none", "status=running"], ["running"]),
            (["is-task=false"], everything),
            (["is-task=true"], []),
            (["name=ea"], ["early"]),
        ):
            asked = [word for filter in words for word in ("--filter", filter)]
            for client in (engine.docker, engine.lading):
                shown = client("ps", "-a", "--format", "{{.Names}}", *asked).stdout.decode().split()
                assert shown == names, words
        # Without -a, how something ended says nothing of what runs.
        assert engine.docker("ps", "-q", "--filter", "exited=4").stdout == b""
        for bad in ("publish=x", "health=fine", "status=gone", "exited=x", "is-task=perhaps"):
            assert engine.docker("ps", "--filter", bad, check=False).returncode == 1
    finally:
        engine.docker("rm", "-f", *["late", "made", "early"])
        engine.docker("rmi", "derived:1")
        engine.docker("volume", "rm", "vault", check=False)


def test_lists_with_sizes(engine: Engine) -> None:
    _run(engine, "sized", "sh", "-c", "head -c 1234567 /dev/zero > /big; echo done; sleep 100")
    wait_for(lambda: engine.docker("logs", "sized").stdout == b"done\n")
    (shown,) = engine.get("/containers/json?size=1")
    assert shown["SizeRw"] == 1234567
    image = engine.get(f"/images/{IMAGE}/json")["Size"]
    assert shown["SizeRootFs"] == image + 1234567
    assert "SizeRw" not in engine.get("/containers/json")[0]
    theirs = engine.docker("ps", "-s", "--format", "{{.Size}}").stdout
    assert theirs.startswith(b"1.23MB (virtual ")
    assert engine.lading("ps", "-s", "--format", "{{.Size}}").stdout == theirs
