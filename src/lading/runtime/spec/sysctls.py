"""Kernel settings of a container's own namespaces. Pure.

Source: sysctl(8), kernel documentation admin-guide/sysctl; docker's defaults.
"""

from lading.errors import InvalidParameter
from lading.runtime.spec.namespaces import has_own_network
from lading.runtime.spec.request import SpecRequest
from lading.schema.container import HostConfig

_UNPRIVILEGED_NETWORK = {
    # With a network of its own a container may use any port, and ping, without capabilities.
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": "0 2147483647",
}
_IPC = frozenset(
    f"kernel.{name}" for name in "msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced".split()
)


def sysctls(request: SpecRequest) -> dict[str, str]:
    """The `linux.sysctl` object: the engine's own settings under the user's."""
    result: dict[str, str] = {}
    if has_own_network(request.host.network_mode):
        result.update(_UNPRIVILEGED_NETWORK)
    if request.config.domainname and request.namespaces.uts != "host":
        result["kernel.domainname"] = request.config.domainname
    return {**result, **(request.host.sysctls or {})}


def check_sysctls(host: HostConfig) -> None:
    """Raises InvalidParameter for settings that would change the host."""
    for name in host.sysctls or {}:
        dotted = name.replace("/", ".")
        if dotted.startswith("net."):
            if host.network_mode == "host":
                raise InvalidParameter(f'sysctl "{name}" not allowed in host network namespace')
        elif dotted in _IPC or dotted.startswith("fs.mqueue."):
            if host.ipc_mode == "host":
                raise InvalidParameter(f'sysctl "{name}" is not allowed in the hosts ipc namespace')
        elif dotted != "kernel.domainname" or host.uts_mode == "host":
            raise InvalidParameter(f'sysctl "{name}" is not in a separate kernel namespace')
