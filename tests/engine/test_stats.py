"""What containers take: the engine's samples, and how both clients show them."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from docker.errors import APIError
from tests.engine.engine import IMAGE, Engine, docker_cli, since_cli, wait_for

NewEngine = Callable[..., Engine]

_SPINNING = ("sh", "-c", "while :; do :; done")
_VERSION_1 = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
_KEYS = {
    *("name", "id", "read", "preread", "cpu_stats", "precpu_stats", "memory_stats", "pids_stats"),
    *("blkio_stats", "num_procs", "storage_stats"),
}


def _run(engine: Engine, name: str, *words: str, flags: tuple[str, ...] = ()) -> str:
    started = engine.docker("run", "-d", "--name", name, *flags, IMAGE, *(words or ("sleep", "1000")))
    return started.stdout.decode().strip()


def test_one_sample_says_how_busy_a_container_is(engine: Engine) -> None:
    identifier = _run(engine, "busy", *_SPINNING, flags=("-m", "64m", "--pids-limit", "50"))
    sample = engine.py.containers.get("busy").stats(stream=False)
    assert set(sample) == _KEYS | {"networks"}
    assert (sample["name"], sample["id"]) == ("/busy", identifier)
    now, before = sample["cpu_stats"], sample["precpu_stats"]
    assert now["online_cpus"] == os.cpu_count()
    used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    whole = now["system_cpu_usage"] - before["system_cpu_usage"]
    assert 0 < used <= whole * 1.1
    assert set(now["throttling_data"]) == {"periods", "throttled_periods", "throttled_time"}
    memory = sample["memory_stats"]
    assert memory["limit"] == 64 * 1024 * 1024
    assert 0 < memory["usage"] < memory["limit"]
    assert ("total_inactive_file" in memory["stats"]) == _VERSION_1
    assert sample["pids_stats"] == {"current": 1, "limit": 50}
    assert set(sample["networks"]) == {"eth0"}
    assert sample["networks"]["eth0"]["rx_dropped"] >= 0
    assert "io_service_bytes_recursive" in sample["blkio_stats"]
    assert sample["preread"] < sample["read"]


def test_networks_are_counted_and_the_hosts_are_not(engine: Engine) -> None:
    asking = f"while :; do ping -c 1 -W 1 {engine.subnet}.1; sleep 0.05; done"
    _run(engine, "talker", "sh", "-c", asking)
    _run(engine, "guest", flags=("--network", "container:talker"))
    _run(engine, "on-host", flags=("--network", "host"))
    _run(engine, "alone", flags=("--network", "none"))
    path = "/containers/{}/stats?stream=0&one-shot=1"
    wait_for(lambda: engine.get(path.format("talker"))["networks"]["eth0"]["tx_packets"] > 0)
    assert engine.get(path.format("guest"))["networks"]["eth0"]["tx_packets"] > 0
    for name in ("on-host", "alone"):
        assert "networks" not in engine.get(path.format(name))


def test_one_shot_has_nothing_before_it(engine: Engine) -> None:
    _run(engine, "quick")
    sample = engine.get("/containers/quick/stats?stream=false&one-shot=true")
    assert sample["preread"] == "0001-01-01T00:00:00Z"
    assert sample["precpu_stats"]["cpu_usage"]["total_usage"] == 0
    assert "system_cpu_usage" not in sample["precpu_stats"]
    assert sample["cpu_stats"]["cpu_usage"]["total_usage"] > 0
    status, refused = engine.api("GET", "/containers/quick/stats?stream=true&one-shot=true")
    assert (status, refused["message"]) == (400, "cannot have stream=true and one-shot=true")


def test_a_container_that_does_not_run_gives_zeros(engine: Engine) -> None:
    engine.docker("create", "--name", "idle", IMAGE, "true")
    sample = engine.py.containers.get("idle").stats(stream=False)
    assert (sample["name"], sample["read"]) == ("/idle", "0001-01-01T00:00:00Z")
    assert (sample["memory_stats"], sample["pids_stats"]) == ({}, {})
    assert sample["cpu_stats"]["cpu_usage"]["total_usage"] == 0
    shown = engine.docker("stats", "--no-stream", "idle").stdout
    assert shown.splitlines()[1].split()[1:] == b"idle 0.00% 0B / 0B 0.00% 0B / 0B 0B / 0B 0".split()
    assert engine.lading("stats", "--no-stream", "idle").stdout == shown
    with pytest.raises(APIError, match="No such container: nosuch"):
        engine.py.api.stats("nosuch", stream=False)


def test_all_watchers_of_a_container_get_the_same_samples(engine: Engine) -> None:
    _run(engine, "shown")
    seen: list[list[dict[str, Any]]] = [[], []]

    def watch(into: list[dict[str, Any]]) -> None:
        for sample in engine.py.containers.get("shown").stats(decode=True):
            into.append(sample)
            if len(into) == 4:
                return

    threads = [threading.Thread(target=watch, args=(into,)) for into in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    reads = [[sample["read"] for sample in into] for into in seen]
    assert len(set(reads[0])) >= 3
    assert len(set(reads[0]) & set(reads[1])) >= 2
    for into in seen:
        for before, after in itertools.pairwise(into[1:]):
            assert after["preread"] == before["read"]
            assert after["precpu_stats"] == before["cpu_stats"]


def test_a_stream_goes_on_over_a_restart_and_ends_with_the_container(engine: Engine) -> None:
    _run(engine, "passing")
    process = subprocess.Popen(
        [docker_cli(), "stats", "--format", "{{.Name}} {{.PIDs}}", "passing"],
        env=engine.environment,
        stdout=subprocess.PIPE,
    )
    stream = engine.py.api.stats("passing", decode=True)
    try:
        assert next(stream)["pids_stats"]["current"] == 1
        engine.docker("stop", "-t", "0", "passing")
        assert wait_for(lambda: not next(stream)["pids_stats"])
        engine.docker("start", "passing")
        assert wait_for(lambda: next(stream)["pids_stats"])
        engine.docker("rm", "-f", "passing")
        deadline = time.monotonic() + 10
        for _ in stream:
            assert time.monotonic() < deadline
    finally:
        process.kill()
        said, _ = process.communicate()
    assert b"passing 1" in said


@pytest.mark.parametrize("client", [pytest.param("docker", marks=since_cli(28)), "lading"])
def test_the_table_follows_what_runs(engine: Engine, client: str) -> None:
    _run(engine, "first")
    program = docker_cli() if client == "docker" else str(Path(sys.executable).parent / "lading")
    screen = pexpect.spawn(program, ["stats"], env=engine.environment, timeout=15, dimensions=(24, 150))
    try:
        screen.expect(r"CONTAINER ID.*first .*\d+\.\d\d%.*[KM]iB / ")
        _run(engine, "second")
        screen.expect("second ")
        engine.docker("rm", "-f", "first")
        screen.expect(r"\x1b\[H[^\x1b]*CONTAINER ID(?:(?!first).)*second (?:(?!first).)*\x1b\[J")
    finally:
        screen.close(force=True)


def test_nobody_watching_costs_nothing(new_engine: NewEngine) -> None:
    """The measuring ends with the last watcher."""
    engine = new_engine()
    _run(engine, "watched")
    stream = engine.py.api.stats("watched", decode=True)
    next(stream)
    next(stream)
    assert engine.process is not None
    stream.close()
    engine.py.close()
    pid = engine.process.pid

    def reads() -> int:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        return int(dict(line.split(": ") for line in lines)["syscr"])

    def quiet() -> bool:
        before = reads()
        time.sleep(1.5)
        return reads() - before < 8

    assert wait_for(quiet)


def test_lading_and_docker_show_the_same(engine: Engine) -> None:
    _run(engine, "one")
    _run(engine, "two")
    form = "{{.Name}} {{.PIDs}} {{.Container}}"
    for words in (["one", "two"], []):
        theirs = engine.docker("stats", "--no-stream", "--format", form, *words).stdout.splitlines()
        ours = engine.lading("stats", "--no-stream", "--format", form, *words).stdout.splitlines()
        assert sorted(ours) == sorted(theirs)
        assert len(ours) == 2
    shown = json.loads(engine.lading("stats", "--no-stream", "--format", "json", "one").stdout)
    assert shown["Name"] == "one"
    assert shown["MemUsage"].endswith("iB")
