"""Driver options of an endpoint: its interface's name and kernel settings. Pure.

Source: Engine API 1.51, EndpointSettings.DriverOpts; docker's "docker network connect".
"""

import re
from collections.abc import Mapping

from lading.errors import InvalidParameter

_SYSCTLS = "com.docker.network.endpoint.sysctls"
_NAME = "com.docker.network.endpoint.ifname"
# In any case: the docker command makes all letters of driver options small.
_SETTING = re.compile(r"(net\.[a-z0-9]+\.[a-z0-9]+)\.(?i:IFNAME)\.([^=\s]+)=(.*)\Z")
_USABLE_NAME = re.compile(r"(?!\.{1,2}\Z|lo\Z)[^/:\s]{1,15}\Z")

DEFAULT_NAME = "eth0"


def interface_name(options: Mapping[str, str] | None) -> str:
    """What the interface is called inside. Raises InvalidParameter."""
    name = (options or {}).get(_NAME, "") or DEFAULT_NAME
    if not _USABLE_NAME.match(name):
        raise InvalidParameter(f"invalid interface name: {name!r}")
    return name


def asks_name(options: Mapping[str, str] | None) -> bool:
    """Whether the interface is to be called something particular."""
    return bool((options or {}).get(_NAME))


def interface_sysctls(options: Mapping[str, str] | None, interface: str = "") -> dict[str, str]:
    """Kernel settings of the interface, by their whole names. Raises InvalidParameter."""
    found: dict[str, str] = {}
    for setting in filter(None, (options or {}).get(_SYSCTLS, "").split(",")):
        parts = _SETTING.match(setting)
        if parts is None:
            raise InvalidParameter(
                f"invalid endpoint sysctl {setting!r}: it must be like net.ipv4.conf.IFNAME.log_martians=1"
            )
        # A dot in the name would be taken for the end of a part.
        name = (interface or interface_name(options)).replace(".", "/")
        found[f"{parts[1]}.{name}.{parts[2]}"] = parts[3]
    return found
