"""What takes an engine seconds: long logs, big copies, many watchers, many containers."""

import io
import os
import statistics
import tarfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench import image
from bench.engines import Engine

LINES = 1_000_000
_FILES, _FILE_SIZE = 3000, 100_000
_WATCHED_SECONDS = 10.0
MANY = 1000
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Logs:
    """Seconds to print and to read a long log, and the API's 99th percentile meanwhile in ms."""

    printing: float
    reading: float
    answering: float


def logs(engine: Engine) -> Logs:
    """A container prints a million lines to json-file; then they are read."""
    client = engine.client()
    body = {
        "Image": image.NAME,
        "Cmd": ["seq", "1", str(LINES)],
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
    }
    container = client.json("POST", "/containers/create", body)["Id"]
    with _asked_all_the_time(engine, "/containers/json?all=1") as answers:
        started = time.perf_counter()
        client.call("POST", f"/containers/{container}/start")
        client.call("POST", f"/containers/{container}/wait")
        printing = time.perf_counter() - started
    started = time.perf_counter()
    taken = client.drain(f"/containers/{container}/logs?stdout=1&stderr=1")
    reading = time.perf_counter() - started
    if taken < LINES * 14:
        raise RuntimeError(f"{engine.name} gave only {taken} bytes of {LINES} lines")
    client.call("DELETE", f"/containers/{container}")
    client.close()
    return Logs(printing, reading, statistics.quantiles(answers, n=100)[98])


@contextmanager
def _asked_all_the_time(engine: Engine, path: str) -> Iterator[list[float]]:
    """Milliseconds of each call of another client, made one after another for as long as the block takes."""
    answers: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        client = engine.client()
        while not ended.is_set():
            started = time.perf_counter()
            client.call("GET", path)
            answers.append((time.perf_counter() - started) * 1000)
            time.sleep(0.005)
        client.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def copies(engine: Engine, tree: bytes) -> tuple[float, float]:
    """Seconds to copy a tree of 300 MB into a running container and out of it."""
    client = engine.client()
    made = client.json("POST", "/containers/create", {"Image": image.NAME, "Cmd": ["sleep", "86400"]})
    client.call("POST", f"/containers/{made['Id']}/start")
    started = time.perf_counter()
    client.call("PUT", f"/containers/{made['Id']}/archive?path=/tmp", tree)
    inside = time.perf_counter() - started
    started = time.perf_counter()
    client.drain(f"/containers/{made['Id']}/archive?path=/tmp/tree")
    outside = time.perf_counter() - started
    client.call("DELETE", f"/containers/{made['Id']}?force=1")
    client.close()
    return inside, outside


def tree() -> bytes:
    """A tar of many files, 300 MB together."""
    output = io.BytesIO()
    content = os.urandom(_FILE_SIZE)
    with tarfile.open(fileobj=output, mode="w") as tar:
        for number in range(_FILES):
            entry = tarfile.TarInfo(f"tree/{number // 100}/file{number}")
            entry.size = _FILE_SIZE
            tar.addfile(entry, io.BytesIO(content))
    return output.getvalue()


def watching(engine: Engine, containers: Sequence[str]) -> float:
    """Seconds of CPU the engine spends in ten seconds of streaming the statistics of all `containers`."""

    def watch(container: str) -> None:
        engine.client().drain(f"/containers/{container}/stats", _WATCHED_SECONDS + 2)

    watchers = [threading.Thread(target=watch, args=(container,)) for container in containers]
    for watcher in watchers:
        watcher.start()
    time.sleep(2)
    before = _cpu(engine)
    time.sleep(_WATCHED_SECONDS)
    spent = _cpu(engine) - before
    for watcher in watchers:
        watcher.join()
    return spent


def _cpu(engine: Engine) -> float:
    """Source: proc(5), /proc/PID/stat, utime and stime."""
    ticks = 0
    for pid in engine.pids():
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
