"""Control groups, read from trees that look like the kernel's."""

import os
from pathlib import Path

import pytest

from lading.linux import cgroups
from lading.runtime.spec import FEATURES


def _tree(root: Path, *files: str, **contents: str) -> str:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(contents.get(file.rpartition("/")[2].replace(".", "_"), ""))
    return str(root)


def test_version_two(tmp_path: Path) -> None:
    root = _tree(
        tmp_path,
        "cgroup.controllers",
        "system.slice/memory.max",
        "system.slice/memory.swap.max",
        cgroup_controllers="cpuset cpu io memory pids\n",
    )
    assert cgroups.version(root) == 2
    assert cgroups.controllers(root) == {"cpuset", "cpu", "io", "memory", "pids"}
    missing = FEATURES - cgroups.features(root)
    assert missing == {"swappiness", "oom-kill-disable", "kernel-memory-tcp", "cpu-realtime"}


def test_version_two_that_does_not_count_swap(tmp_path: Path) -> None:
    root = _tree(tmp_path, "cgroup.controllers", "init.scope/memory.max", cgroup_controllers="memory")
    assert cgroups.features(root) == {"memory", "memory-reservation"}


def test_version_one_and_hybrid(tmp_path: Path) -> None:
    root = _tree(
        tmp_path,
        "memory/memory.limit_in_bytes",
        "memory/memory.oom_control",
        "cpu/cpu.shares",
        "pids/cgroup.procs",
        "unified/cgroup.controllers",
    )
    assert cgroups.version(root) == 1
    assert cgroups.features(root) == {"memory", "oom-kill-disable", "cpu-shares", "pids"}


def test_leftovers_are_found_and_removed_in_every_hierarchy(tmp_path: Path) -> None:
    for path in ("memory/lading/a", "cpu/lading/b/inner", "pids/other"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "cpuacct").symlink_to("cpu")
    root = str(tmp_path)
    assert cgroups.children("/lading", root) == {"a", "b"}
    assert cgroups.remove("/lading/b", root)
    assert cgroups.remove("/lading/never", root)
    assert cgroups.children("/lading", root) == {"a"}
    assert (tmp_path / "pids/other").exists()


def test_a_group_in_use_stays(tmp_path: Path) -> None:
    # Stands for the kernel's EBUSY: a directory that cannot be removed.
    (tmp_path / "memory/lading/a").mkdir(parents=True)
    (tmp_path / "memory/lading/a/file").touch()
    assert not cgroups.remove("/lading/a", str(tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_real_group(tmp_path: Path) -> None:
    group = f"/lading-test-group-{os.getpid()}"
    cgroups.ensure(f"{group}/inner")
    assert cgroups.children(group) == {"inner"}
    cpus = Path(f"{cgroups.ROOT}/cpuset{group}/inner/cpuset.cpus")
    if cgroups.version() == 1 and cpus.exists():
        # A process may enter at once.
        assert cpus.read_text() == Path(f"{cgroups.ROOT}/cpuset/cpuset.cpus").read_text()
    assert cgroups.remove(group)
    assert cgroups.children(group) == set()
    assert os.path.basename(group) not in cgroups.children("")
