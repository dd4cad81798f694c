"""Cgroup limits, in the runtime-spec's words; the runtime translates them to cgroup v1 or v2. Pure.

Source: runtime-spec 1.2, config-linux.md, "Control groups"; docker's rules
for swap and CPUs.
"""

import re
from typing import Any

from lading.errors import InvalidParameter
from lading.runtime.spec.request import DeviceNode, SpecRequest
from lading.schema.container import HostConfig, ThrottleDevice

CPU_PERIOD = 100_000
"""Microseconds; what `--cpus` counts against."""

_RULE = re.compile(r"([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})\Z")

_DEFAULT_DEVICES: list[dict[str, Any]] = [
    {"allow": False, "access": "rwm"},
    {"allow": True, "type": "c", "access": "m"},
    {"allow": True, "type": "b", "access": "m"},
    *(
        {"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
        # null, zero, full, random, urandom, tty, console, ptmx
        for major, minor in ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2))
    ),
    {"allow": True, "type": "c", "major": 136, "access": "rwm"},
]


def resources(request: SpecRequest) -> dict[str, Any]:
    """The `linux.resources` object; `request.devices` are those beyond the default ones."""
    host = request.host
    result: dict[str, Any] = {"devices": _device_rules(host, request.devices)}
    for key, value in (
        ("memory", _memory(host)),
        ("cpu", _cpu(host)),
        ("pids", _pids(host)),
        ("blockIO", _block_io(host)),
    ):
        if value:
            result[key] = value
    return result


def _memory(host: HostConfig) -> dict[str, Any]:
    memory: dict[str, Any] = {}
    if host.memory > 0:
        memory["limit"] = host.memory
    if host.memory_reservation > 0:
        memory["reservation"] = host.memory_reservation
    if host.memory_swap != 0:
        memory["swap"] = host.memory_swap
    if host.memory_swappiness is not None and host.memory_swappiness >= 0:
        memory["swappiness"] = host.memory_swappiness
    if host.oom_kill_disable:
        memory["disableOOMKiller"] = True
    return memory


def _cpu(host: HostConfig) -> dict[str, Any]:
    cpu: dict[str, Any] = {}
    if host.nano_cpus > 0:
        cpu["period"] = CPU_PERIOD
        cpu["quota"] = host.nano_cpus * CPU_PERIOD // 1_000_000_000
    for key, value in (
        ("shares", host.cpu_shares),
        ("period", host.cpu_period),
        ("quota", host.cpu_quota),
        ("cpus", host.cpuset_cpus),
        ("mems", host.cpuset_mems),
        ("realtimePeriod", host.cpu_realtime_period),
        ("realtimeRuntime", host.cpu_realtime_runtime),
    ):
        if value:
            cpu[key] = value
    return cpu


def _pids(host: HostConfig) -> dict[str, Any]:
    if not host.pids_limit:
        return {}
    return {"limit": host.pids_limit if host.pids_limit > 0 else -1}


def _block_io(host: HostConfig) -> dict[str, Any]:
    block: dict[str, Any] = {}
    if host.blkio_weight:
        block["weight"] = host.blkio_weight
    if host.blkio_weight_device:
        block["weightDevice"] = [
            {**_numbers(entry.path), "weight": entry.weight} for entry in host.blkio_weight_device
        ]
    throttles: tuple[tuple[str, list[ThrottleDevice] | None], ...] = (
        ("throttleReadBpsDevice", host.blkio_device_read_bps),
        ("throttleWriteBpsDevice", host.blkio_device_write_bps),
        ("throttleReadIOPSDevice", host.blkio_device_read_i_ops),
        ("throttleWriteIOPSDevice", host.blkio_device_write_i_ops),
    )
    for key, entries in throttles:
        if entries:
            block[key] = [{**_numbers(entry.path), "rate": entry.rate} for entry in entries]
    return block


def _numbers(path: str) -> dict[str, int]:
    """Paths of block devices have been replaced by "major:minor" before this is called."""
    major, _, minor = path.partition(":")
    if not (major.isdecimal() and minor.isdecimal()):
        raise InvalidParameter(f"invalid block device: {path}")
    return {"major": int(major), "minor": int(minor)}


def _device_rules(host: HostConfig, devices: "tuple[DeviceNode, ...] | Any") -> list[dict[str, Any]]:
    if host.privileged:
        return [{"allow": True, "access": "rwm"}]
    rules = list(_DEFAULT_DEVICES)
    rules += [
        {"allow": True, "type": node.kind, "major": node.major, "minor": node.minor, "access": node.access}
        for node in devices
    ]
    return rules + [parse_device_rule(text) for text in host.device_cgroup_rules or []]


def parse_device_rule(text: str) -> dict[str, Any]:
    """A `--device-cgroup-rule` such as "c 1:3 mr". Raises InvalidParameter."""
    found = _RULE.match(text)
    if found is None:
        raise InvalidParameter(f"invalid device cgroup rule format: '{text}'")
    rule: dict[str, Any] = {"allow": True, "type": found[1], "access": found[4]}
    for key, number in (("major", found[2]), ("minor", found[3])):
        if number != "*":
            rule[key] = int(number)
    return rule
