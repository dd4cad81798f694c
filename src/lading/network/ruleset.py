"""The firewall table as text, whole and in parts. Pure.

One table for each bridge, so daemons beside each other never touch one
another's. Published ports are elements of two maps: however many there are, a
new connection costs two lookups, and one already known costs none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from lading.network.ports import ANYWHERE, Lease

NAT, UNPROTECTED, ROUTED, ISOLATED = "nat", "nat-unprotected", "routed", "isolated"
"""Gateway modes. Source: docker's "Packet filtering and firewalls"."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the table of one bridge has to know. `mode` is its gateway mode."""

    bridge: str
    interface: IPv4Interface
    icc: bool
    masquerade: bool
    internal: bool = False
    mode: str = NAT

    @property
    def table(self) -> str:
        return table_name(self.bridge)


def table_name(bridge: str) -> str:
    """The name of a bridge's table, family inet; also the comment on our rules in others' chains."""
    return f"lading-{bridge}"


def render(rules: Rules, published: Iterable[tuple[Lease, IPv4Address]]) -> str:
    """Replaces the table by what it has to be, in one transaction.

    Connections in progress do not notice: they are in the connection tracker.
    """
    if rules.internal:
        return _render_internal(rules)
    bridge, subnet = f'"{rules.bridge}"', rules.interface.network
    translated = rules.mode != ROUTED
    among_themselves = f"iifname {bridge} accept" if rules.icc else f"iifname {bridge} drop"
    masquerade = f"ip saddr {subnet} oifname != {bridge} masquerade"
    elements = "".join(publish(rules, lease, address) for lease, address in published)
    return f"""{_anew(rules.table)}
table inet {rules.table} {{
	map {_EXACT} {{
		type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
	}}
	map {_ANYWHERE} {{
		type inet_proto . inet_service : ipv4_addr . inet_service
	}}
	set {_OPENED} {{
		type ipv4_addr . inet_proto . inet_service
	}}
	chain publish {{
		dnat ip to meta l4proto . ip daddr . th dport map @{_EXACT}
		dnat ip to meta l4proto . th dport map @{_ANYWHERE}
	}}
	chain guard {{
		comment "the bridge may route to 127.0.0.0/8, for published ports only"
		type filter hook prerouting priority -300; policy accept;
		iifname {bridge} ip daddr 127.0.0.0/8 drop
	}}
	chain prerouting {{
		type nat hook prerouting priority -100; policy accept;
		ip daddr 127.0.0.0/8 return
		fib daddr type local jump publish
	}}
	chain output {{
		type nat hook output priority -100; policy accept;
		fib daddr type local jump publish
	}}
	chain forward {{
		type filter hook forward priority 0; policy accept;
		oifname != {bridge} accept
		ct state established,related accept
		ct status dnat accept
		{among_themselves}
		{_OPEN_WAYS.get(rules.mode, "")}
		drop
	}}
	chain postrouting {{
		type nat hook postrouting priority 100; policy accept;
		{masquerade if rules.masquerade and translated else ""}
		oifname {bridge} ip saddr 127.0.0.0/8 masquerade
		oifname {bridge} ip saddr {subnet} ct status dnat masquerade
	}}
}}
{elements}"""


def _render_internal(rules: Rules) -> str:
    """Nobody goes in or out; nothing is published or translated."""
    bridge = f'"{rules.bridge}"'
    among_themselves = "accept" if rules.icc else "drop"
    return f"""{_anew(rules.table)}
table inet {rules.table} {{
	chain guard {{
		type filter hook prerouting priority -300; policy accept;
		iifname {bridge} ip daddr 127.0.0.0/8 drop
	}}
	chain forward {{
		type filter hook forward priority 0; policy accept;
		iifname {bridge} oifname {bridge} {among_themselves}
		iifname {bridge} drop
		oifname {bridge} drop
	}}
}}
"""


def _anew(table: str) -> str:
    return f"add table inet {table}\ndelete table inet {table}"


def remove(bridge: str) -> str:
    """Takes the table away, whether it is there or not."""
    return _anew(table_name(bridge))


_EXACT, _ANYWHERE, _OPENED = "published", "published_anywhere", "opened"
_OPEN_WAYS = {
    # From outside, by the container's own address; other bridges of this host stay apart.
    UNPROTECTED: 'meta iifkind != "bridge" accept',
    ROUTED: f"icmp type echo-request accept\n\t\tip daddr . meta l4proto . th dport @{_OPENED} accept",
}


def publish(rules: Rules, lease: Lease, address: IPv4Address) -> str:
    """Leads a host port to a container, or lets it be reached where it is routed."""
    if rules.internal:
        return ""
    if rules.mode == ROUTED:
        return f"add element inet {rules.table} {_opened(lease, address)} }}\n"
    return f"add element inet {rules.table} {_key(lease)} : {address} . {lease.target} }}\n"


def withdraw(rules: Rules, lease: Lease, address: IPv4Address) -> str:
    """Leads a host port nowhere."""
    if rules.internal:
        return ""
    key = _opened(lease, address) if rules.mode == ROUTED else _key(lease)
    return f"delete element inet {rules.table} {key} }}\n"


def _opened(lease: Lease, address: IPv4Address) -> str:
    return f"{_OPENED} {{ {address} . {lease.proto} . {lease.target}"


def _key(lease: Lease) -> str:
    if lease.host_ip == ANYWHERE:
        return f"{_ANYWHERE} {{ {lease.proto} . {lease.port}"
    return f"{_EXACT} {{ {lease.proto} . {lease.host_ip} . {lease.port}"


def allowances(bridge: str) -> tuple[str, str]:
    """Two rules that let a bridge's packets pass a chain which drops by default."""
    comment = f'comment "{table_name(bridge)}"'
    return (
        f'add rule ip filter FORWARD iifname "{bridge}" counter accept {comment}\n',
        f'add rule ip filter FORWARD oifname "{bridge}" counter accept {comment}\n',
    )
