"""Halting real processes in real control groups, of either version."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lading.linux import cgroups, freezer

# Where version 2 is mounted beside version 1.
_BESIDE = f"{cgroups.ROOT}/unified"
_ROOTS = {1: cgroups.ROOT, 2: _BESIDE if cgroups.version(_BESIDE) == 2 else cgroups.ROOT}


@pytest.fixture(params=sorted(_ROOTS))
def group(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A root and a group below it, with a process that never sleeps long."""
    root = _ROOTS[request.param]
    if cgroups.version(root) != request.param:
        pytest.skip(f"there are no control groups of version {request.param}")
    name = f"/lading-test-freezer-{os.getpid()}"
    tops = [root] if request.param == 2 else [f"{root}/freezer", f"{root}/pids"]
    process = subprocess.Popen(["sh", "-c", "while :; do sleep 0.01; done"], process_group=0)
    try:
        for top in tops:
            os.makedirs(f"{top}{name}/below")
            Path(f"{top}{name}/below/cgroup.procs").write_text(str(process.pid))
        yield root, name
    finally:
        freezer.ask(name, frozen=False, root=root)
        os.killpg(process.pid, 9)
        process.wait()
        deadline = time.monotonic() + 5
        for top in tops:
            while os.path.exists(f"{top}{name}") and time.monotonic() < deadline:
                for path in (f"{top}{name}/below", f"{top}{name}"):
                    try:
                        os.rmdir(path)
                    except OSError:
                        time.sleep(0.01)


def _wait(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_group_and_all_below_it_comes_to_a_halt(group: tuple[str, str]) -> None:
    root, name = group
    pid = cgroups.processes(name, root)[0]
    assert not freezer.is_frozen(name, root)
    freezer.ask(name, frozen=True, root=root)
    assert _wait(lambda: freezer.is_frozen(name, root))
    # The kernel tells of the halt just before the last process's final step, which counts.
    time.sleep(0.1)
    before = _switches(pid)
    time.sleep(0.1)
    assert _switches(pid) == before
    freezer.ask(name, frozen=False, root=root)
    assert _wait(lambda: not freezer.is_frozen(name, root) and _switches(pid) > before)


def test_a_group_that_is_gone() -> None:
    assert not freezer.is_frozen("/lading-test-nobody")
    assert cgroups.processes("/lading-test-nobody") == []
    with pytest.raises(FileNotFoundError):
        freezer.ask("/lading-test-nobody", frozen=True)


def _switches(pid: int) -> int:
    """How often it has been put to work and to sleep."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
