"""What a control group, a network namespace and the whole machine have used so far, as the kernel writes it.

Source: kernel documentation, admin-guide/cgroup-v1, admin-guide/cgroup-v2 and
filesystems/proc.
"""

import os

from lading.linux import cgroups

_FILES_1 = {
    "cpuacct": ("cpuacct.usage", "cpuacct.usage_percpu", "cpuacct.stat"),
    "cpu": ("cpu.stat",),
    "memory": (
        *("memory.stat", "memory.usage_in_bytes", "memory.max_usage_in_bytes"),
        *("memory.limit_in_bytes", "memory.failcnt"),
    ),
    "blkio": ("blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_serviced_recursive"),
    "pids": ("pids.current", "pids.max"),
}
_FILES_2 = (
    *("cpu.stat", "memory.stat", "memory.current", "memory.max", "memory.events"),
    *("io.stat", "pids.current", "pids.max"),
)
_LONGEST = 1 << 16


def of_group(group: str, version: int, root: str = cgroups.ROOT) -> dict[str, str]:
    """The files about usage by name; those that are not there are left out."""
    if version == 2:
        places = [(name, f"{root}{group}/{name}") for name in _FILES_2]
    else:
        places = [
            (name, f"{root}/{controller}{group}/{name}")
            for controller, names in _FILES_1.items()
            for name in names
        ]
    return {name: text for name, path in places if (text := _read(path)) is not None}


def of_network(pid: int) -> str:
    """The counters of the interfaces that a process sees; empty where it is gone."""
    return _read(f"/proc/{pid}/net/dev") or ""


def of_machine() -> str:
    """The processors' times, of all together and of each, in clock ticks."""
    return _read("/proc/stat") or ""


def _read(path: str) -> str | None:
    # Not by way of a file object, which takes three times as long.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, _LONGEST).decode(errors="replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)
