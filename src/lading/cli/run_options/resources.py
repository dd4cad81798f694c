"""Limits: CPU, memory, block devices, processes, ulimits."""

from __future__ import annotations

from lading.cli.errors import BadValue, CommandFailed, UsageError
from lading.cli.flags import Flag
from lading.cli.values import read_int, read_size, read_size_or_unlimited, whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lading.cli.flags import Given

_NANO = 1_000_000_000
_ULIMITS = frozenset(
    "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split()
)


def read_cpus(text: str) -> int:
    """Billionths of a CPU, from "1.5" or "3/2". Raises BadValue."""
    from fractions import Fraction

    try:
        nano = Fraction(text) * _NANO
    except (ValueError, ZeroDivisionError):
        raise BadValue(f"failed to parse {text} as a rational number") from None
    if nano.denominator != 1:
        raise BadValue("value is too precise")
    if abs(nano) >= 1 << 63:
        raise BadValue("value is too large")
    return int(nano)


def _device_path(text: str) -> tuple[str, str]:
    path, colon, value = text.partition(":")
    if not (colon and path and value):
        raise BadValue(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise BadValue(f"bad format for device path: {text}")
    return path, value


def read_device_weight(text: str) -> dict[str, Any]:
    """Raises BadValue."""
    path, value = _device_path(text)
    weight = whole_number(value)
    if weight is None or not (weight == 0 or 10 <= weight <= 1000):
        raise BadValue(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": weight}


def read_device_bytes(text: str) -> dict[str, Any]:
    """Raises BadValue."""
    path, value = _device_path(text)
    try:
        return {"Path": path, "Rate": read_size(value)}
    except BadValue:
        raise BadValue(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. "
            "Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
        ) from None


def read_device_operations(text: str) -> dict[str, Any]:
    """Raises BadValue."""
    path, value = _device_path(text)
    rate = whole_number(value)
    if rate is None or rate < 0:
        raise BadValue(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>. "
            "Number must be a positive integer"
        )
    return {"Path": path, "Rate": rate}


def read_ulimit(text: str) -> dict[str, Any]:
    """name=soft[:hard]. Raises BadValue."""
    name, equals, value = text.partition("=")
    if not equals:
        raise BadValue(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise BadValue(f"invalid ulimit type: {name}")
    values = value.split(":")
    if len(values) > 2:
        raise BadValue(f"too many limit value arguments - {value}, can only have up to two, `soft[:hard]`")
    soft = read_int(values[0])
    hard = read_int(values[-1])
    if hard != -1 and soft == -1:
        raise BadValue(
            f"ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}"
        )
    if hard != -1 and soft > hard:
        raise BadValue(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
    return {"Name": name, "Hard": hard, "Soft": soft}


def _per_device(name: str, text: str, check: Callable[[str], Any]) -> Flag:
    return Flag(name, "", "list", text, check=check)


FLAGS = (
    Flag("blkio-weight", "", "uint16", "Share of block I/O, 10 to 1000; 0 leaves it alone", default=0),
    _per_device("blkio-weight-device", "Share of one device's I/O: path:weight", read_device_weight),
    Flag("cgroup-parent", "", "string", "Cgroup to put the container's cgroup into"),
    Flag("cpu-count", "", "int", "Number of CPUs (Windows)", hidden=True),
    Flag("cpu-percent", "", "int", "Share of all CPUs (Windows)", hidden=True),
    Flag("cpu-period", "", "int", "Period of the CPU quota in microseconds", default=0),
    Flag("cpu-quota", "", "int", "CPU time within one period in microseconds", default=0),
    Flag("cpu-rt-period", "", "int", "Period of real-time scheduling in microseconds", default=0),
    Flag("cpu-rt-runtime", "", "int", "Real-time CPU time within one period in microseconds", default=0),
    Flag("cpu-shares", "c", "int", "Share of CPU time relative to other containers", default=0),
    Flag("cpus", "", "decimal", "How many CPUs' worth of time it may use", default=0, check=read_cpus),
    Flag("cpuset-cpus", "", "string", "CPUs it may run on: 0-3, or 0,1"),
    Flag("cpuset-mems", "", "string", "Memory nodes it may use: 0-3, or 0,1"),
    _per_device("device-read-bps", "Bytes per second it may read: path:rate", read_device_bytes),
    _per_device("device-read-iops", "Reads per second: path:rate", read_device_operations),
    _per_device("device-write-bps", "Bytes per second it may write: path:rate", read_device_bytes),
    _per_device("device-write-iops", "Writes per second: path:rate", read_device_operations),
    Flag("io-maxbandwidth", "", "bytes", "Bandwidth of the system drive (Windows)", hidden=True),
    Flag("io-maxiops", "", "uint", "Operations on the system drive (Windows)", hidden=True),
    Flag("kernel-memory", "", "bytes", "Limit of kernel memory (no longer in use)", default=0),
    Flag("memory", "m", "bytes", "Limit of memory", default=0),
    Flag("memory-reservation", "", "bytes", "Memory it is pressed down to when memory is short", default=0),
    Flag("memory-swap", "", "bytes", "Limit of memory and swap together; -1 for no limit", default=0,
         check=read_size_or_unlimited),
    Flag("memory-swappiness", "", "int", "How readily its memory is swapped out, 0 to 100", default=-1),
    Flag("oom-kill-disable", "", "", "Do not kill it when it is out of memory"),
    Flag("oom-score-adj", "", "int", "How likely the kernel is to kill it, -1000 to 1000", default=0),
    Flag("pids-limit", "", "int", "Number of processes it may have; -1 for no limit", default=0),
    Flag("shm-size", "", "bytes", "Size of /dev/shm", default=0),
    Flag("ulimit", "", "ulimit", "Limit of each process: name=soft[:hard]", gathers=True, check=read_ulimit),
)  # fmt: skip

FIELDS = (
    ("blkio-weight", "BlkioWeight"),
    ("blkio-weight-device", "BlkioWeightDevice"),
    ("cgroup-parent", "CgroupParent"),
    ("cpu-period", "CpuPeriod"),
    ("cpu-quota", "CpuQuota"),
    ("cpu-rt-period", "CpuRealtimePeriod"),
    ("cpu-rt-runtime", "CpuRealtimeRuntime"),
    ("cpu-shares", "CpuShares"),
    ("cpus", "NanoCpus"),
    ("cpuset-cpus", "CpusetCpus"),
    ("cpuset-mems", "CpusetMems"),
    ("device-read-bps", "BlkioDeviceReadBps"),
    ("device-read-iops", "BlkioDeviceReadIOps"),
    ("device-write-bps", "BlkioDeviceWriteBps"),
    ("device-write-iops", "BlkioDeviceWriteIOps"),
    ("memory", "Memory"),
    ("memory-reservation", "MemoryReservation"),
    ("memory-swap", "MemorySwap"),
    ("memory-swappiness", "MemorySwappiness"),
    ("oom-kill-disable", "OomKillDisable"),
    ("oom-score-adj", "OomScoreAdj"),
    ("pids-limit", "PidsLimit"),
    ("shm-size", "ShmSize"),
)
_WINDOWS = ("cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops")


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError, CommandFailed."""
    foreign = [name for name in _WINDOWS if name in given]
    if foreign:
        raise CommandFailed(
            "\n".join(f'"--{name}" is only supported on an engine running on Windows' for name in foreign)
        )
    swappiness = given["memory-swappiness"]
    if not -1 <= swappiness <= 100:
        raise UsageError(f"lading: invalid value: {swappiness}. Valid memory swappiness range is 0-100")
    for flag, field in FIELDS:
        host[field] = given[flag]
    ulimits = {ulimit["Name"]: ulimit for ulimit in given["ulimit"]}
    host["Ulimits"] = [ulimits[name] for name in sorted(ulimits)]
