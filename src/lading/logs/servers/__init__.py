"""The log servers containers can log to: their options, and how their protocols spell entries. Pure.

Here: one file for each driver. Not here: connections, which `forward` makes.
Calls the hall and the words of `logs`.
"""

from collections.abc import Callable, Mapping

from lading.logs.contract import LogFacts
from lading.logs.servers import fluentd, gelf, journald, splunk, syslog
from lading.logs.servers.address import Address
from lading.logs.servers.plan import Collector, Encoder, Origin, Plan, Tls

_Check = Callable[[Mapping[str, str]], None]
_Make = Callable[[Mapping[str, str], LogFacts, Origin], Plan]
_DRIVERS: Mapping[str, tuple[_Check, _Make]] = {
    "fluentd": (fluentd.check, fluentd.plan),
    "gelf": (gelf.check, gelf.plan),
    "journald": (journald.check, journald.plan),
    "splunk": (splunk.check, splunk.plan),
    "syslog": (syslog.check, syslog.plan),
}
SERVERS = tuple(_DRIVERS)
"""The drivers that send what a container prints to a log server."""


def check_server(driver: str, options: Mapping[str, str]) -> None:
    """Refuses what dockerd refuses when a container is created, in its words. Raises InvalidParameter."""
    _DRIVERS[driver][0](options)


def socket_of(driver: str, options: Mapping[str, str]) -> str:
    """The path that must exist before dockerd creates a container; empty for none."""
    return syslog.address_of(options).path if driver == "syslog" else ""


def plan_for(driver: str, options: Mapping[str, str], facts: LogFacts, origin: Origin) -> Plan:
    """Where and how to send a container's log. Raises InvalidParameter."""
    return _DRIVERS[driver][1](options, facts, origin)


__all__ = [
    "SERVERS",
    "Address",
    "Collector",
    "Encoder",
    "Origin",
    "Plan",
    "Tls",
    "check_server",
    "plan_for",
    "socket_of",
]
