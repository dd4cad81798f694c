"""What docker refuses before a container is made, in docker's words. Pure."""

from lading.errors import InvalidParameter
from lading.runtime.spec.capabilities import normalize
from lading.runtime.spec.request import HostFacts
from lading.runtime.spec.resources import parse_device_rule
from lading.runtime.spec.security import parse_security_options
from lading.schema.container import ContainerConfig, HealthConfig, HostConfig, Ulimit
from lading.units import NANOSECOND

MINIMUM_MEMORY = 6 * 1024 * 1024
_MILLISECOND = NANOSECOND // 1000
_ULIMITS = frozenset(
    """as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending
    stack""".split()
)


def validate(config: ContainerConfig, host: HostConfig, facts: HostFacts) -> list[str]:
    """Raises InvalidParameter; returns what the user should know but may ignore."""
    _check_config(config)
    _check_modes(host)
    _check_memory(host)
    _check_cpu(host, facts)
    _check_rest(host)
    return _settle_unsupported(host, facts)


def _check_config(config: ContainerConfig) -> None:
    if config.working_dir and not config.working_dir.startswith("/"):
        raise InvalidParameter(
            f"the working directory '{config.working_dir}' is invalid, it needs to be an absolute path"
        )
    if config.stop_timeout is not None and config.stop_timeout < -1:
        raise InvalidParameter("the stop timeout must be -1 or more seconds")
    for entry in config.env or []:
        if not entry or entry.startswith("="):
            raise InvalidParameter(f"invalid environment variable: {entry}")
    if config.healthcheck is not None:
        _check_health(config.healthcheck)


def _check_health(health: HealthConfig) -> None:
    for name, value in (
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
    ):
        if value and value < _MILLISECOND:
            raise InvalidParameter(f"{name} in Healthcheck cannot be less than 1ms")
    if health.retries < 0:
        raise InvalidParameter("Retries in Healthcheck cannot be negative")


def _check_modes(host: HostConfig) -> None:
    for name, mode, words in (
        ("IPC", host.ipc_mode, ("", "none", "private", "shareable", "host")),
        ("PID", host.pid_mode, ("", "host")),
        ("UTS", host.uts_mode, ("", "host")),
        ("user namespace", host.userns_mode, ("", "host")),
        ("cgroup namespace", host.cgroupns_mode, ("", "host", "private")),
    ):
        joins = name in ("IPC", "PID") and mode.startswith("container:") and mode != "container:"
        if mode not in words and not joins:
            raise InvalidParameter(f"invalid {name} mode: {mode}")
    if host.isolation not in ("", "default"):
        raise InvalidParameter(f"invalid isolation ({host.isolation}): linux only supports 'default'")
    if host.uts_mode == "host" and host.network_mode.startswith("container:"):
        raise InvalidParameter("conflicting options: UTS mode and the network mode")


def _check_memory(host: HostConfig) -> None:
    if 0 < host.memory < MINIMUM_MEMORY:
        raise InvalidParameter("Minimum memory limit allowed is 6MB")
    if host.memory < 0 or host.memory_reservation < 0:
        raise InvalidParameter("invalid memory limit: it cannot be negative")
    if host.memory_swap > 0 and host.memory == 0:
        raise InvalidParameter(
            "You should always set the Memory limit when using Memoryswap limit, see usage"
        )
    if host.memory_swap > 0 and host.memory_swap < host.memory:
        raise InvalidParameter("Minimum memoryswap limit should be larger than memory limit, see usage")
    if host.memory and host.memory_reservation > host.memory:
        raise InvalidParameter(
            "Minimum memory limit can not be less than memory reservation limit, see usage"
        )
    if 0 < host.memory_reservation < MINIMUM_MEMORY:
        raise InvalidParameter("Minimum memory reservation allowed is 6MB")
    swappiness = host.memory_swappiness
    if swappiness is not None and not -1 <= swappiness <= 100:
        raise InvalidParameter(f"Invalid value: {swappiness}, valid memory swappiness range is 0-100")
    if not -1000 <= host.oom_score_adj <= 1000:
        raise InvalidParameter(
            f"Invalid value {host.oom_score_adj}, range for oom score adj is [-1000, 1000]"
        )


def _check_cpu(host: HostConfig, facts: HostFacts) -> None:
    if host.nano_cpus and (host.cpu_period or host.cpu_quota):
        which = "CPU Period" if host.cpu_period else "CPU Quota"
        raise InvalidParameter(f"Conflicting options: Nano CPUs and {which} cannot both be set")
    if host.nano_cpus < 0 or host.nano_cpus > facts.cpus * NANOSECOND:
        raise InvalidParameter(
            f"Range of CPUs is from 0.01 to {facts.cpus}.00, as there are only {facts.cpus} CPUs available"
        )
    if host.cpu_period and not 1000 <= host.cpu_period <= 1_000_000:
        raise InvalidParameter(
            "CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    if 0 < host.cpu_quota < 1000:
        raise InvalidParameter("CPU cfs quota cannot be less than 1ms (i.e. 1000)")
    if host.cpu_shares < 0:
        raise InvalidParameter(f"invalid CPU shares ({host.cpu_shares}): value must be a positive integer")
    for name, text in (("cpus", host.cpuset_cpus), ("mems", host.cpuset_mems)):
        _check_set(name, text, facts)


def _check_set(name: str, text: str, facts: HostFacts) -> None:
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal() or int(last or first) < int(first):
            raise InvalidParameter(f"Invalid value {text} for cpuset {name}")
        if name == "cpus" and int(last or first) >= facts.cpus:
            raise InvalidParameter(
                f"Requested CPUs are not available - requested {text}, available: 0-{facts.cpus - 1}"
            )


def _check_rest(host: HostConfig) -> None:
    if host.blkio_weight and not 10 <= host.blkio_weight <= 1000:
        raise InvalidParameter("Range of blkio weight is from 10 to 1000")
    if host.shm_size < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    for limit in host.ulimits or []:
        _check_ulimit(limit)
    for rule in host.device_cgroup_rules or []:
        parse_device_rule(rule)
    normalize(host.cap_add)
    normalize(host.cap_drop)
    parse_security_options(host.security_opt)
    if host.device_requests:
        wanted = ", ".join(request.driver or "gpu" for request in host.device_requests)
        raise InvalidParameter(f"could not select device driver for {wanted}: none is installed")


def _check_ulimit(limit: Ulimit) -> None:
    if limit.name not in _ULIMITS:
        raise InvalidParameter(f"invalid ulimit type: {limit.name}")
    if limit.hard >= 0 and (limit.soft < 0 or limit.soft > limit.hard):
        raise InvalidParameter(
            f"ulimit soft limit must be less than or equal to hard limit: {limit.soft} > {limit.hard}"
        )


def _settle_unsupported(host: HostConfig, facts: HostFacts) -> list[str]:
    """Drops what this kernel cannot do, and says so, as docker does."""
    warnings = []
    if host.kernel_memory_tcp:
        warnings.append("Specifying a kernel memory TCP limit is not supported. Limit discarded.")
        host.kernel_memory_tcp = 0
    if host.oom_kill_disable and facts.cgroup_version == 2:
        warnings.append("OomKillDisable is not supported by cgroup version 2; it is discarded.")
        host.oom_kill_disable = None
    if host.memory_swappiness is not None and host.memory_swappiness >= 0 and facts.cgroup_version == 2:
        warnings.append("MemorySwappiness is not supported by cgroup version 2; it is discarded.")
        host.memory_swappiness = None
    if host.pids_limit and host.pids_limit > 0 and facts.controllers and "pids" not in facts.controllers:
        warnings.append("Your kernel does not support PIDs limit capabilities. PIDs limit discarded.")
        host.pids_limit = None
    return warnings
