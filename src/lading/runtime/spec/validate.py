"""What docker refuses before a container is made, in docker's words. Pure."""

from lading.errors import InvalidParameter
from lading.runtime.spec.capabilities import check_capabilities
from lading.runtime.spec.devices import check_devices
from lading.runtime.spec.limits import settle_limits
from lading.runtime.spec.namespaces import check_modes
from lading.runtime.spec.request import HostFacts
from lading.runtime.spec.rlimits import check_ulimits
from lading.runtime.spec.seccomp_format import custom
from lading.runtime.spec.security import BUILTIN, UNCONFINED, parse_security_options
from lading.runtime.spec.sysctls import check_sysctls
from lading.schema.container import ContainerConfig, HealthConfig, HostConfig
from lading.units import NANOSECOND

_MILLISECOND = NANOSECOND // 1000
_DEFAULT_APPARMOR = "docker-default"
"""What clients name to get what they get anyway."""


def validate(config: ContainerConfig, host: HostConfig, facts: HostFacts) -> list[str]:
    """Checks what a client wishes, before the daemon has filled in a host name.

    Takes out of `host` what this machine cannot do; returns a warning for each.
    Raises InvalidParameter.
    """
    _check_config(config)
    check_modes(config, host)
    check_sysctls(host)
    check_ulimits(host)
    check_devices(host)
    check_capabilities(host.cap_add, host.cap_drop, facts.capabilities)
    if host.shm_size < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    if not -1000 <= host.oom_score_adj <= 1000:
        raise InvalidParameter(
            f"Invalid value {host.oom_score_adj}, range for oom score adj is [-1000, 1000]"
        )
    warnings = _check_security(host, facts) + settle_limits(host, facts)
    if host.network_mode == "host" and host.port_bindings:
        warnings.append("Published ports are discarded when using host network mode")
    return warnings


def _check_config(config: ContainerConfig) -> None:
    if config.working_dir and not config.working_dir.startswith("/"):
        raise InvalidParameter(
            f"the working directory '{config.working_dir}' is invalid, it needs to be an absolute path"
        )
    for entry in config.env or []:
        if not entry or entry.startswith("="):
            raise InvalidParameter(f"invalid environment variable: {entry}")
        if "\0" in entry:
            raise InvalidParameter("invalid environment variable: it contains a NUL byte")
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


def _check_security(host: HostConfig, facts: HostFacts) -> list[str]:
    options = parse_security_options(host.security_opt)
    if options.seccomp not in ("", BUILTIN, UNCONFINED):
        custom(options.seccomp, frozenset(), facts.machine, facts.kernel)
    if options.writable_cgroups and host.cgroupns_mode == "host":
        raise InvalidParameter("writable-cgroups needs a private cgroup namespace: use --cgroupns=private")
    if options.apparmor not in ("", UNCONFINED, _DEFAULT_APPARMOR) and not facts.apparmor:
        raise InvalidParameter(
            f"apparmor profile {options.apparmor} cannot be applied: this kernel has no AppArmor"
        )
    if not facts.selinux and any(label != "disable" for label in options.labels):
        return ["This kernel has no SELinux. Labels have no effect."]
    return []
