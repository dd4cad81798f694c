"""Which namespaces a container has to itself, and which it shares. Pure.

Source: runtime-spec 1.2, config-linux.md, "Namespaces"; Docker's modes.
"""

from lading.errors import InvalidParameter
from lading.runtime.spec.request import Namespaces
from lading.schema.container import ContainerConfig, HostConfig

_KINDS = ("network", "pid", "ipc", "uts", "cgroup")


def namespaces(wanted: Namespaces) -> list[dict[str, str]]:
    """The `linux.namespaces` list: shared ones are left out, joined ones have a path."""
    result = [{"type": "mount"}]
    for kind in _KINDS:
        where: str = getattr(wanted, kind)
        if where != "host":
            result.append({"type": kind, "path": where} if where else {"type": kind})
    return result


def joins_container(mode: str) -> bool:
    """Whether a mode means the namespace of another container."""
    return mode.startswith("container:")


def has_own_network(mode: str) -> bool:
    """Whether a network mode gives a container a network namespace nobody else has."""
    return mode != "host" and not joins_container(mode)


def check_modes(config: ContainerConfig, host: HostConfig) -> None:
    """Raises InvalidParameter for modes that do not exist or contradict other wishes."""
    for name, mode, words, may_join in (
        ("IPC", host.ipc_mode, ("", "none", "private", "shareable", "host"), True),
        ("PID", host.pid_mode, ("", "host"), True),
        ("UTS", host.uts_mode, ("", "host"), False),
        ("user namespace", host.userns_mode, ("", "host"), False),
        ("cgroup namespace", host.cgroupns_mode, ("", "host", "private"), False),
    ):
        joins = may_join and joins_container(mode) and mode != "container:"
        if mode not in words and not joins:
            raise InvalidParameter(f"invalid {name} mode: {mode}")
    if host.network_mode == "container:":
        raise InvalidParameter("Invalid network mode: invalid container format container:<name|id>")
    if host.isolation not in ("", "default"):
        raise InvalidParameter(f"invalid isolation ({host.isolation}): linux only supports 'default'")
    _check_conflicts(config, host)


def _check_conflicts(config: ContainerConfig, host: HostConfig) -> None:
    if host.uts_mode == "host" and config.hostname:
        raise InvalidParameter("conflicting options: hostname and the UTS mode")
    if host.network_mode == "host" and host.links:
        raise InvalidParameter(
            "conflicting options: host type networking can't be used with links. "
            "This would result in undefined behavior"
        )
    if not joins_container(host.network_mode):
        return
    for present, what in (
        (config.hostname, "hostname and the network mode"),
        (
            host.links,
            "container type network can't be used with links. This would result in undefined behavior",
        ),
        (host.dns, "dns and the network mode"),
        (host.extra_hosts, "custom host-to-IP mapping and the network mode"),
        (config.mac_address, "mac-address and the network mode"),
        (
            host.port_bindings or host.publish_all_ports,
            "port publishing and the container type network mode",
        ),
    ):
        if present:
            raise InvalidParameter(f"conflicting options: {what}")
