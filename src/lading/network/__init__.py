"""Networks: bridges with NAT and published ports, macvlan and ipvlan, `host` and `none`.

Here: sandboxes (network namespaces) and their links, addresses, the firewall
table, host ports, the texts of /etc/hosts and /etc/resolv.conf, and what the
API shows of networks. Not here: which container shares another's sandbox, and
where the two files lie; the composer knows.
May call state, linux, aio, schema and the hall.
"""

from lading.network.hosts import check_extra_hosts, hosts_text
from lading.network.naming import RESOLVER, Names
from lading.network.networks import Networks
from lading.network.ports import parse_ports
from lading.network.record import ConnectRequest, NetworkRecord, Sandbox
from lading.network.resolv import resolv_conf_text
from lading.network.settings import NetworkSettings

__all__ = [
    "RESOLVER",
    "ConnectRequest",
    "Names",
    "NetworkRecord",
    "NetworkSettings",
    "Networks",
    "Sandbox",
    "check_extra_hosts",
    "hosts_text",
    "parse_ports",
    "resolv_conf_text",
]
