"""Cgroup limits, in the runtime-spec's words; the runtime translates them to cgroup v1 or v2. Pure.

Source: runtime-spec 1.2, config-linux.md, "Control groups"; docker's rules
for swap and CPUs.
"""

from collections.abc import Mapping
from typing import Any

from lading.errors import InvalidParameter
from lading.runtime.spec.devices import device_rules
from lading.runtime.spec.request import SpecRequest
from lading.schema.container import HostConfig, ThrottleDevice
from lading.units import NANOSECOND

CPU_PERIOD = 100_000
"""Microseconds; what `--cpus` counts against."""

_FEWEST_SHARES, _MOST_SHARES = 2, 262_144

Numbers = Mapping[str, tuple[int, int]]


def resources(request: SpecRequest) -> dict[str, Any]:
    """The `linux.resources` object. Raises InvalidParameter."""
    host = request.host
    limits = {
        "memory": memory(host),
        "cpu": cpu(host),
        "pids": pids(host),
        "blockIO": block_io(host, request.block_devices),
    }
    return {
        "devices": device_rules(host, request.devices),
        **{kind: limit for kind, limit in limits.items() if limit},
    }


def memory(host: HostConfig) -> dict[str, Any]:
    """Bytes. Swap counts memory and swap together, as docker does; -1 sets no limit."""
    limits: dict[str, Any] = {}
    for key, value in (
        ("limit", host.memory),
        ("reservation", host.memory_reservation),
        ("swap", host.memory_swap),
        ("kernelTCP", host.kernel_memory_tcp),
    ):
        if value > 0:
            limits[key] = value
    if host.memory_swappiness is not None and host.memory_swappiness >= 0:
        limits["swappiness"] = host.memory_swappiness
    if host.oom_kill_disable:
        limits["disableOOMKiller"] = True
    return limits


def cpu(host: HostConfig) -> dict[str, Any]:
    """Shares are relative; quota and period are microseconds."""
    limits: dict[str, Any] = {}
    if host.cpu_shares:
        limits["shares"] = min(max(host.cpu_shares, _FEWEST_SHARES), _MOST_SHARES)
    if host.nano_cpus:
        limits["period"] = CPU_PERIOD
        limits["quota"] = host.nano_cpus * CPU_PERIOD // NANOSECOND
    for key, value in (
        ("period", host.cpu_period),
        ("quota", host.cpu_quota),
        ("realtimePeriod", host.cpu_realtime_period),
        ("realtimeRuntime", host.cpu_realtime_runtime),
    ):
        # Less than zero is no limit, as is leaving it out; crun cannot write it.
        if value > 0:
            limits[key] = value
    if host.cpuset_cpus:
        limits["cpus"] = host.cpuset_cpus
    if host.cpuset_mems:
        limits["mems"] = host.cpuset_mems
    return limits


def pids(host: HostConfig) -> dict[str, Any]:
    """Zero and less mean no limit."""
    if host.pids_limit is None or host.pids_limit <= 0:
        return {}
    return {"limit": host.pids_limit}


def block_io(host: HostConfig, numbers: Numbers) -> dict[str, Any]:
    """Weights are relative (10 to 1000), rates are bytes or operations per second."""
    limits: dict[str, Any] = {}
    if host.blkio_weight:
        limits["weight"] = host.blkio_weight
    if host.blkio_weight_device:
        limits["weightDevice"] = [
            {**_device(entry.path, numbers), "weight": entry.weight} for entry in host.blkio_weight_device
        ]
    throttles: tuple[tuple[str, list[ThrottleDevice] | None], ...] = (
        ("throttleReadBpsDevice", host.blkio_device_read_bps),
        ("throttleWriteBpsDevice", host.blkio_device_write_bps),
        ("throttleReadIOPSDevice", host.blkio_device_read_i_ops),
        ("throttleWriteIOPSDevice", host.blkio_device_write_i_ops),
    )
    for key, entries in throttles:
        if entries:
            limits[key] = [{**_device(entry.path, numbers), "rate": entry.rate} for entry in entries]
    return limits


def _device(path: str, numbers: Numbers) -> dict[str, int]:
    if path not in numbers:
        raise InvalidParameter(f"{path} is not a block device of this host")
    major, minor = numbers[path]
    return {"major": major, "minor": minor}
