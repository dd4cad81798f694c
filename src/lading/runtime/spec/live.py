"""Limits as files of a control group, for a container that runs already. Pure.

The OCI runtimes translate them in the same way when a container starts.
Source: kernel documentation, admin-guide/cgroup-v1 and admin-guide/cgroup-v2;
runtime-spec 1.2; for the weights, crun's and runc's conversion to version 2.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from lading.runtime.spec.resources import CPU_PERIOD, Numbers, block_io, cpu
from lading.schema.container import HostConfig


class LimitFile(NamedTuple):
    """What to write: version 1 has a hierarchy for each controller, version 2 one for all."""

    controller: str
    name: str
    text: str


def limit_files(
    host: HostConfig, changed: Collection[str], version: int, numbers: Numbers
) -> list[LimitFile]:
    """The files that bring the fields `changed` of `host` into force.

    `numbers` are those of the block devices named. Raises InvalidParameter.
    """
    make = (_memory_2, _cpu_2, _block_io_2) if version == 2 else (_memory_1, _cpu_1, _block_io_1)
    memory, processor, block = make
    files = [*memory(host, changed), *processor(host, changed)]
    if "cpuset_cpus" in changed:
        files.append(LimitFile("cpuset", "cpuset.cpus", host.cpuset_cpus))
    if "cpuset_mems" in changed:
        files.append(LimitFile("cpuset", "cpuset.mems", host.cpuset_mems))
    if "pids_limit" in changed:
        files.append(LimitFile("pids", "pids.max", str(host.pids_limit or "max")))
    return files + block(host, changed, numbers)


def _memory_1(host: HostConfig, changed: Collection[str]) -> list[LimitFile]:
    names = (
        ("memory", "memory.limit_in_bytes", host.memory),
        ("memory_swap", "memory.memsw.limit_in_bytes", host.memory_swap),
        ("memory_reservation", "memory.soft_limit_in_bytes", host.memory_reservation),
    )
    return [LimitFile("memory", name, str(value)) for field, name, value in names if field in changed]


def _memory_2(host: HostConfig, changed: Collection[str]) -> list[LimitFile]:
    files = []
    if "memory" in changed:
        files.append(LimitFile("memory", "memory.max", str(host.memory)))
    if {"memory", "memory_swap"} & set(changed) and host.memory_swap:
        # Docker counts memory and swap together, version 2 swap alone.
        swap = "max" if host.memory_swap < 0 else str(host.memory_swap - host.memory)
        files.append(LimitFile("memory", "memory.swap.max", swap))
    if "memory_reservation" in changed:
        files.append(LimitFile("memory", "memory.low", str(host.memory_reservation)))
    return files


_CPU_1 = {
    "shares": "cpu.shares",
    "period": "cpu.cfs_period_us",
    "quota": "cpu.cfs_quota_us",
    "realtimePeriod": "cpu.rt_period_us",
    "realtimeRuntime": "cpu.rt_runtime_us",
}
_CPU_FIELDS = {
    "cpu_shares": ("shares",),
    "nano_cpus": ("period", "quota"),
    "cpu_period": ("period",),
    "cpu_quota": ("quota",),
    "cpu_realtime_period": ("realtimePeriod",),
    "cpu_realtime_runtime": ("realtimeRuntime",),
}


def _cpu_keys(changed: Collection[str]) -> list[str]:
    return [key for field, keys in _CPU_FIELDS.items() if field in changed for key in keys]


def _cpu_1(host: HostConfig, changed: Collection[str]) -> list[LimitFile]:
    limits = cpu(host)
    # What is left out is no limit.
    return [LimitFile("cpu", _CPU_1[key], str(limits.get(key, -1))) for key in _cpu_keys(changed)]


def _cpu_2(host: HostConfig, changed: Collection[str]) -> list[LimitFile]:
    limits, keys = cpu(host), _cpu_keys(changed)
    files = []
    if "shares" in keys:
        files.append(LimitFile("cpu", "cpu.weight", str(_cpu_weight(limits.get("shares", 0)))))
    if "period" in keys or "quota" in keys:
        bandwidth = f"{limits.get('quota', 'max')} {limits.get('period', CPU_PERIOD)}"
        files.append(LimitFile("cpu", "cpu.max", bandwidth))
    return files


def _cpu_weight(shares: int) -> int:
    """2 to 262144 shares become a weight of 1 to 10000."""
    return 1 + (shares - 2) * 9999 // 262142 if shares else 100


_THROTTLES = (
    ("blkio_device_read_bps", "throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"),
    ("blkio_device_write_bps", "throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
    ("blkio_device_read_i_ops", "throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
    ("blkio_device_write_i_ops", "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"),
)


def _numbers_of(entry: dict[str, Any]) -> str:
    return f"{entry['major']}:{entry['minor']}"


def _block_io_1(host: HostConfig, changed: Collection[str], numbers: Numbers) -> list[LimitFile]:
    limits = block_io(host, numbers)
    files = []
    if "blkio_weight" in changed:
        files.append(LimitFile("blkio", "blkio.weight", str(host.blkio_weight)))
    if "blkio_weight_device" in changed:
        files += [
            LimitFile("blkio", "blkio.weight_device", f"{_numbers_of(entry)} {entry['weight']}")
            for entry in limits["weightDevice"]
        ]
    for field, key, name, _ in _THROTTLES:
        if field in changed:
            files += [
                LimitFile("blkio", name, f"{_numbers_of(entry)} {entry['rate']}") for entry in limits[key]
            ]
    return files


def _block_io_2(host: HostConfig, changed: Collection[str], numbers: Numbers) -> list[LimitFile]:
    limits = block_io(host, numbers)
    files = []
    if "blkio_weight" in changed:
        files.append(LimitFile("io", "io.weight", f"default {_io_weight(host.blkio_weight)}"))
    if "blkio_weight_device" in changed:
        files += [
            LimitFile("io", "io.weight", f"{_numbers_of(entry)} {_io_weight(entry['weight'])}")
            for entry in limits["weightDevice"]
        ]
    for field, key, _, word in _THROTTLES:
        if field in changed:
            files += [
                LimitFile("io", "io.max", f"{_numbers_of(entry)} {word}={entry['rate']}")
                for entry in limits[key]
            ]
    return files


def _io_weight(weight: int) -> int:
    """10 to 1000 become 1 to 10000."""
    return 1 + (weight - 10) * 9999 // 990
