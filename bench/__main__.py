"""The command: rounds of all measures, our engine and the peer in turn."""

import argparse
import compileall
import fcntl
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from bench import distribution, measures, peer, report
from bench.engines import REPOSITORY, Dockerd, Engine, Lading

_RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    words = _parser().parse_args()
    if os.geteuid():
        print("bench/run needs root: it starts engines", file=sys.stderr)
        return 1
    place = REPOSITORY / ".cache" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("another bench/run is going on: two would measure each other", file=sys.stderr)
        return 1
    # As ./install leaves it: a daemon that compiles as it starts would be shown with the compiler's memory.
    compileall.compile_dir(REPOSITORY / "src", quiet=1)
    counts = measures.Counts(cycles=8, runs=5, execs=8, lists=10) if words.quick else measures.Counts()
    names = ["peer" if words.peer_only else "lading", "peer"]
    taken: list[list[measures.Samples]] = [[], []]
    versions = ["", ""]
    try:
        root = peer.build()
        images = distribution.Images(place / "images")
        for number in range(words.rounds):
            for turn, name in enumerate(names):
                print(f"round {number + 1} of {words.rounds}: {name}", flush=True)
                engine = Lading(place / name) if name == "lading" else Dockerd(place / name, root)
                samples, versions[turn] = _round(engine, counts, images)
                taken[turn].append(samples)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    lines = [
        report.compare(
            measure.title,
            measure.unit,
            measure.bar,
            [samples.values[measure.key] for samples in taken[0]],
            [samples.values[measure.key] for samples in taken[1]],
        )
        for measure in measures.MEASURES
    ]
    text = report.document(lines, _facts(words.rounds, versions), names[0], "dockerd")
    print(text)
    if not (words.quick or words.peer_only):
        _RESULTS.write_text(text)
    return 0


def _round(
    engine: Engine, counts: measures.Counts, images: distribution.Images
) -> tuple[measures.Samples, str]:
    try:
        engine.start()
        return measures.take(engine, counts, images), engine.version()
    finally:
        engine.stop()


def _facts(rounds: int, versions: list[str]) -> dict[str, str]:
    """What the figures depend on; nothing that tells whose machine it was."""
    client = subprocess.run([measures.docker_cli(), "--version"], capture_output=True, text=True).stdout
    commit = subprocess.run(
        ["git", "-C", REPOSITORY, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 30} GiB",
        "kernel": platform.release(),
        "cgroups": "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1",
        "Python": platform.python_version(),
        "docker client": client.strip().removeprefix("Docker version "),
        "engines": "; ".join(versions),
        "commit": commit.strip() or "unknown",
        "rounds": str(rounds),
        "load at the end": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/run", description="Measure the engine beside dockerd.")
    parser.add_argument("--rounds", type=int, default=3, help="times each engine is started (default 3)")
    parser.add_argument("--quick", action="store_true", help="few samples; RESULTS.md stays as it is")
    parser.add_argument("--peer-only", action="store_true", help="the peer against itself: the noise alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
