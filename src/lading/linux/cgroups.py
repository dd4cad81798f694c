"""Control groups: which version is mounted, what it can limit, what happened, what is left over.

A group is named by its path below the root of the hierarchy ("/lading/<id>").
Source: kernel documentation, admin-guide/cgroup-v1 and admin-guide/cgroup-v2.
"""

import math
import os
from collections.abc import Iterator

ROOT = "/sys/fs/cgroup"

_V1_FILES = {
    "memory": ("memory", "memory.limit_in_bytes"),
    "swap": ("memory", "memory.memsw.limit_in_bytes"),
    "memory-reservation": ("memory", "memory.soft_limit_in_bytes"),
    "swappiness": ("memory", "memory.swappiness"),
    "oom-kill-disable": ("memory", "memory.oom_control"),
    "kernel-memory-tcp": ("memory", "memory.kmem.tcp.limit_in_bytes"),
    "cpu-shares": ("cpu", "cpu.shares"),
    "cpu-cfs": ("cpu", "cpu.cfs_quota_us"),
    "cpu-realtime": ("cpu", "cpu.rt_runtime_us"),
    "cpuset": ("cpuset", "cpuset.cpus"),
    "pids": ("pids", "cgroup.procs"),
    "blkio-weight": ("blkio", "blkio.weight"),
    "blkio-weight-device": ("blkio", "blkio.weight_device"),
    "blkio-throttle": ("blkio", "blkio.throttle.read_bps_device"),
}
_V2_CONTROLLERS = {
    "memory": ("memory", "swap", "memory-reservation"),
    "cpu": ("cpu-shares", "cpu-cfs"),
    "cpuset": ("cpuset",),
    "pids": ("pids",),
    "io": ("blkio-weight", "blkio-weight-device", "blkio-throttle"),
}
_CPUSET_FILES = ("cpuset.cpus", "cpuset.mems")


_REALTIME_PERIOD = 1_000_000
"""Microseconds; the kernel's own."""


def version(root: str = ROOT) -> int:
    """2 where the unified hierarchy alone is mounted, else 1 (also for "hybrid")."""
    return 2 if os.path.exists(f"{root}/cgroup.controllers") else 1


def controllers(root: str = ROOT) -> frozenset[str]:
    """The controllers this machine has, by the names of its version."""
    if version(root) == 2:
        return frozenset(_read(f"{root}/cgroup.controllers").split())
    rows = [line.split() for line in _read("/proc/cgroups").splitlines() if not line.startswith("#")]
    return frozenset(row[0] for row in rows if row[3] == "1")


def features(root: str = ROOT) -> frozenset[str]:
    """The limits this machine can set: see `lading.runtime.spec.FEATURES` for their names."""
    if version(root) == 1:
        return frozenset(
            feature
            for feature, (controller, file) in _V1_FILES.items()
            if os.path.exists(f"{root}/{controller}/{file}")
        )
    found = {feature for name in controllers(root) for feature in _V2_CONTROLLERS.get(name, ())}
    # The root has no limits of its own, so whether swap is counted shows in any group below.
    limited = [path for path in _groups(root) if os.path.exists(f"{path}/memory.max")]
    if limited and not any(os.path.exists(f"{path}/memory.swap.max") for path in limited):
        found.discard("swap")
    return frozenset(found)


def prepare_move(root: str = ROOT) -> None:
    """Spares whoever next moves a process between groups the kernel's wait; blocks for as long instead.

    A move takes a lock that is cheap for those who fork and exit, so its writer
    first waits until every CPU has seen him coming: 10 to 20 ms on an idle
    machine. For about as long after that the next writer need not wait (kernel
    source: kernel/rcu/sync.c). So this moves this process to where it is.
    """
    top = root if version(root) == 2 else f"{root}/unified"
    for line in _read("/proc/self/cgroup").splitlines():
        if line.startswith("0::"):
            try:
                with open(f"{top}{line[3:]}/cgroup.procs", "w", encoding="ascii") as file:
                    file.write("0")
            except OSError:
                # Then the next writer waits.
                pass


def processes(group: str, root: str = ROOT) -> list[int]:
    """The processes in `group` and in the groups below it; none where it is gone."""
    top = root if version(root) == 2 else f"{root}/pids"
    found: list[int] = []
    for directory, _, _ in os.walk(f"{top}{group}"):
        found += map(int, _read(f"{directory}/cgroup.procs").split())
    return found


def write(group: str, controller: str, file: str, text: str, root: str = ROOT) -> None:
    """Writes one file of `group`; version 2 has all controllers in one place. Raises OSError."""
    top = root if version(root) == 2 else f"{root}/{controller}"
    path = f"{top}{group}/{file}"
    with open(path, "wb", buffering=0) as target:
        try:
            target.write(text.encode())
        except OSError as error:
            # Which the kernel's answer to a write does not say by itself.
            raise OSError(error.errno, error.strerror, path) from None


def children(group: str, root: str = ROOT) -> set[str]:
    """The names of the groups directly below `group`, in any hierarchy."""
    return {os.path.basename(path) for top in _hierarchies(root) for path in _groups(f"{top}{group}")}


def ensure(group: str, root: str = ROOT) -> None:
    """Makes `group`, the parent of groups to come, in every hierarchy. Raises OSError.

    OCI runtimes make it as they go, and two that start at once may then meet a
    group of version 1 that has no CPUs yet, which the kernel answers with ENOSPC.
    """
    unified, tops = version(root) == 2, _hierarchies(root)
    if all(os.path.isdir(f"{top}{group}") for top in tops) and (unified or _has_cpus(group, root)):
        return
    path = ""
    for part in group.strip("/").split("/"):
        above, path = path, f"{path}/{part}"
        for top in tops:
            os.makedirs(f"{top}{path}", exist_ok=True)
            if not unified:
                _inherit_cpuset(f"{top}{path}", f"{top}{above}")


def allow_realtime(group: str, runtime: int, period: int, root: str = ROOT) -> None:
    """Lets `group` give one more group this much of real-time scheduling, in microseconds.

    Version 1 only, where a group has none that was not given to it. Raises
    OSError where those above have none left.
    """
    directory = f"{root}/cpu"
    for part in group.strip("/").split("/"):
        directory += f"/{part}"
        taken = sum(map(_realtime_share, _groups_in(directory)))
        own_period = int(_read(f"{directory}/cpu.rt_period_us") or _REALTIME_PERIOD)
        needed = math.ceil((taken + runtime / (period or _REALTIME_PERIOD)) * own_period)
        if needed > int(_read(f"{directory}/cpu.rt_runtime_us") or 0):
            with open(f"{directory}/cpu.rt_runtime_us", "w", encoding="ascii") as file:
                file.write(str(needed))


def _groups_in(directory: str) -> list[str]:
    return [entry.path for entry in os.scandir(directory) if entry.is_dir()]


def _realtime_share(directory: str) -> float:
    period = int(_read(f"{directory}/cpu.rt_period_us") or _REALTIME_PERIOD)
    return int(_read(f"{directory}/cpu.rt_runtime_us") or 0) / period


def _has_cpus(group: str, root: str) -> bool:
    return all(_read(f"{root}/cpuset{group}/{file}").strip() for file in _CPUSET_FILES)


def _inherit_cpuset(group: str, above: str) -> None:
    for file in _CPUSET_FILES:
        if os.path.exists(f"{group}/{file}") and not _read(f"{group}/{file}").strip():
            with open(f"{group}/{file}", "w", encoding="ascii") as target:
                target.write(_read(f"{above}/{file}"))


def remove(group: str, root: str = ROOT) -> bool:
    """Removes `group` and what is below it in every hierarchy; False where processes are still in it."""
    emptied = True
    for top in _hierarchies(root):
        for directory, _, _ in os.walk(f"{top}{group}", topdown=False):
            try:
                os.rmdir(directory)
            except FileNotFoundError:
                continue
            except OSError:
                emptied = False
    return emptied


def _hierarchies(root: str) -> list[str]:
    # Links such as cpu -> cpu,cpuacct name a hierarchy a second time.
    return [root] if version(root) == 2 else list(_groups(root))


def _groups(directory: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield entry.path


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
