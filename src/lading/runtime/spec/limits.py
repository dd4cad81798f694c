"""Docker's checks of resource limits: what is refused, and what a kernel cannot do. Pure."""

from lading.errors import InvalidParameter
from lading.runtime.spec.request import HostFacts
from lading.schema.container import HostConfig
from lading.units import NANOSECOND, parse_whole

MINIMUM_MEMORY = 6 * 1024 * 1024
"""Bytes; less does not let even a small program start."""

_GONE = "or the cgroup is not mounted"


def settle_limits(host: HostConfig, facts: HostFacts, *, update: bool = False) -> list[str]:
    """Takes out of `host` what this kernel cannot do and returns a warning for each.

    With `update`, `host` holds no more than is to be changed.
    Raises InvalidParameter for values that are wrong anywhere.
    """
    warnings: list[str] = []
    _settle_memory(host, facts, warnings, update)
    _settle_tasks(host, facts, warnings)
    _settle_cpu(host, facts, warnings)
    _settle_cpuset(host, facts, warnings)
    _settle_block_io(host, facts, warnings)
    return warnings


def _settle_memory(host: HostConfig, facts: HostFacts, warnings: list[str], update: bool) -> None:
    if host.memory and host.memory < MINIMUM_MEMORY:
        raise InvalidParameter("Minimum memory limit allowed is 6MB")
    if host.memory > 0 and "memory" not in facts.features:
        warnings.append(
            f"Your kernel does not support memory limit capabilities {_GONE}. Limitation discarded."
        )
        host.memory, host.memory_swap = 0, -1
    if host.memory > 0 and host.memory_swap != -1 and "swap" not in facts.features:
        warnings.append(
            f"Your kernel does not support swap limit capabilities {_GONE}. Memory limited without swap."
        )
        host.memory_swap = -1
    if host.memory > 0 and 0 < host.memory_swap < host.memory:
        raise InvalidParameter("Minimum memoryswap limit should be larger than memory limit, see usage")
    if host.memory == 0 and host.memory_swap > 0 and not update:
        raise InvalidParameter(
            "You should always set the Memory limit when using Memoryswap limit, see usage"
        )
    _settle_swappiness(host, facts, warnings)
    if host.memory_reservation > 0 and "memory-reservation" not in facts.features:
        warnings.append(
            f"Your kernel does not support memory soft limit capabilities {_GONE}. Limitation discarded."
        )
        host.memory_reservation = 0
    if host.memory_reservation and host.memory_reservation < MINIMUM_MEMORY:
        raise InvalidParameter("Minimum memory reservation allowed is 6MB")
    if host.memory and host.memory_reservation > host.memory:
        raise InvalidParameter(
            "Minimum memory limit can not be less than memory reservation limit, see usage"
        )
    if host.kernel_memory_tcp and "kernel-memory-tcp" not in facts.features:
        warnings.append(
            f"Your kernel does not support kernel memory TCP limit capabilities {_GONE}. "
            "Limitation discarded."
        )
        host.kernel_memory_tcp = 0


def _settle_swappiness(host: HostConfig, facts: HostFacts, warnings: list[str]) -> None:
    if host.memory_swappiness == -1:
        host.memory_swappiness = None
    if host.memory_swappiness is None:
        return
    if "swappiness" not in facts.features:
        warnings.append(
            f"Your kernel does not support memory swappiness capabilities {_GONE}. "
            "Memory swappiness discarded."
        )
        host.memory_swappiness = None
    elif not 0 <= host.memory_swappiness <= 100:
        raise InvalidParameter(
            f"Invalid value: {host.memory_swappiness}, valid memory swappiness range is 0-100"
        )


def _settle_tasks(host: HostConfig, facts: HostFacts, warnings: list[str]) -> None:
    if host.oom_kill_disable and "oom-kill-disable" not in facts.features:
        warnings.append("Your kernel does not support OomKillDisable. OomKillDisable discarded.")
        host.oom_kill_disable = None
    if host.oom_kill_disable and not host.memory:
        warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, "
            "this can result in the system running out of resources."
        )
    if host.pids_limit is not None and "pids" not in facts.features:
        if host.pids_limit > 0:
            warnings.append(
                f"Your kernel does not support PIDs limit capabilities {_GONE}. PIDs limit discarded."
            )
        host.pids_limit = None


def _settle_cpu(host: HostConfig, facts: HostFacts, warnings: list[str]) -> None:
    for name, value in (("Period", host.cpu_period), ("Quota", host.cpu_quota)):
        if host.nano_cpus > 0 and value > 0:
            raise InvalidParameter(f"Conflicting options: Nano CPUs and CPU {name} cannot both be set")
    if not 0 <= host.nano_cpus <= facts.cpus * NANOSECOND:
        raise InvalidParameter(
            f"Range of CPUs is from 0.01 to {facts.cpus}.00, as there are only {facts.cpus} CPUs available"
        )
    if host.nano_cpus and "cpu-cfs" not in facts.features:
        raise InvalidParameter(
            f"NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler {_GONE}"
        )
    if host.cpu_shares < 0:
        raise InvalidParameter(f"invalid CPU shares ({host.cpu_shares}): value must be a positive integer")
    if host.cpu_shares and "cpu-shares" not in facts.features:
        warnings.append(f"Your kernel does not support CPU shares {_GONE}. Shares discarded.")
        host.cpu_shares = 0
    if (host.cpu_period or host.cpu_quota) and "cpu-cfs" not in facts.features:
        warnings.append("Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.")
        host.cpu_period = host.cpu_quota = 0
    if host.cpu_period and not 1000 <= host.cpu_period <= 1_000_000:
        raise InvalidParameter(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    if 0 < host.cpu_quota < 1000:
        raise InvalidParameter("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    _check_realtime(host, facts)
    if host.cpu_percent:
        warnings.append("linux does not support CPU percent. Percent discarded.")
        host.cpu_percent = 0


def _check_realtime(host: HostConfig, facts: HostFacts) -> None:
    period, runtime = host.cpu_realtime_period, host.cpu_realtime_runtime
    if (period or runtime) and "cpu-realtime" not in facts.features:
        raise InvalidParameter("kernel does not support CPU real-time scheduler")
    if period and runtime > period:
        raise InvalidParameter("cpu real-time runtime cannot be higher than cpu real-time period")


def _settle_cpuset(host: HostConfig, facts: HostFacts, warnings: list[str]) -> None:
    if (host.cpuset_cpus or host.cpuset_mems) and "cpuset" not in facts.features:
        warnings.append(f"Your kernel does not support cpuset {_GONE}. Cpuset discarded.")
        host.cpuset_cpus = host.cpuset_mems = ""
    for kind, name, text, count in (
        ("CPUs", "cpus", host.cpuset_cpus, facts.cpus),
        ("memory nodes", "mems", host.cpuset_mems, facts.memory_nodes),
    ):
        if _highest(name, text) >= count:
            available = "0" if count == 1 else f"0-{count - 1}"
            raise InvalidParameter(
                f"Requested {kind} are not available - requested {text}, available: {available}"
            )


def _highest(name: str, text: str) -> int:
    """The highest number in a list such as "0-2,5", -1 for an empty one. Raises InvalidParameter."""
    highest = -1
    for part in text.split(",") if text else ():
        bounds = part.strip().partition("-")
        first = _index(bounds[0])
        last = _index(bounds[2]) if bounds[1] else first
        if first is None or last is None or first > last:
            raise InvalidParameter(f"Invalid value {text} for cpuset {name}: invalid format: {part}")
        highest = max(highest, last)
    return highest


def _index(text: str) -> int | None:
    return parse_whole(text) if text.isascii() and text.isdecimal() else None


def _settle_block_io(host: HostConfig, facts: HostFacts, warnings: list[str]) -> None:
    for what, value in (("bandwidth", host.io_maximum_bandwidth), ("IOPs", host.io_maximum_i_ops)):
        if value:
            raise InvalidParameter(
                f"invalid option: QoS maximum {what} configuration is not supported on linux"
            )
    if host.blkio_weight and "blkio-weight" not in facts.features:
        warnings.append(f"Your kernel does not support Block I/O weight {_GONE}. Weight discarded.")
        host.blkio_weight = 0
    for weight in (host.blkio_weight, *(entry.weight for entry in host.blkio_weight_device or ())):
        if weight and not 10 <= weight <= 1000:
            raise InvalidParameter("Range of blkio weight is from 10 to 1000")
    if host.blkio_weight_device and "blkio-weight-device" not in facts.features:
        warnings.append(
            f"Your kernel does not support Block I/O weight_device {_GONE}. Weight-device discarded."
        )
        host.blkio_weight_device = []
    if "blkio-throttle" in facts.features:
        return
    for attribute, what in (
        ("blkio_device_read_bps", "BPS Block I/O read"),
        ("blkio_device_write_bps", "BPS Block I/O write"),
        ("blkio_device_read_i_ops", "IOPS Block read"),
        ("blkio_device_write_i_ops", "IOPS Block write"),
    ):
        if getattr(host, attribute):
            warnings.append(f"Your kernel does not support {what} limit {_GONE}. Limit discarded.")
            setattr(host, attribute, [])
