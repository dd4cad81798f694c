"""The table of one bridge in the kernel. Runs in the kernel's thread."""

import json
import logging
import socket
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import Any

from lading.linux import conntrack
from lading.linux.nftables import NftablesError
from lading.network import ruleset
from lading.network.kernel import Kernel
from lading.network.ports import Lease
from lading.network.ruleset import Rules

_log = logging.getLogger(__name__)


class Firewall:
    """Keeps the kernel's table as it should be, and knows what that is."""

    def __init__(self, kernel: Kernel, rules: Rules) -> None:
        self._kernel = kernel
        self._rules = rules
        self._published: dict[Lease, IPv4Address] = {}
        self._fingerprint = ""

    def open(self, published: Mapping[Lease, IPv4Address]) -> None:
        """Makes the table, or puts it right. Raises NftablesError."""
        self._published = dict(published)
        self.repair()

    def repair(self) -> None:
        """Puts back whatever somebody took or changed. Raises NftablesError."""
        self._kernel.nft.run(ruleset.render(self._rules, self._published.items()))
        self._fingerprint = self._rules_present()[0]
        self.pass_foreign_chain()

    def check(self) -> bool:
        """Repairs where there is need, and tells whether there was. Raises NftablesError."""
        present, elements = self._rules_present()
        if present != self._fingerprint or elements != len(self._published):
            _log.warning("somebody changed the firewall table %s; putting it right", self._rules.table)
            self.repair()
            return True
        return self.pass_foreign_chain()

    def _rules_present(self) -> tuple[str, int]:
        """Chains and rules of our table as a text to compare, and how many ports are published."""
        try:
            entries = self._kernel.nft.list(f"list table inet {self._rules.table}")
        except NftablesError:
            return "", 0
        sets = [entry.get("map") or entry.get("set") or {} for entry in entries]
        elements = sum(len(each.get("elem", ())) for each in sets)
        rules = [
            [thing.get("chain", thing.get("name")), thing.get("hook"), thing.get("policy"), thing.get("expr")]
            for entry in entries
            for kind, thing in entry.items()
            if kind in ("chain", "rule")
        ]
        return json.dumps(rules), elements

    def publish(self, leases: Iterable[Lease], address: IPv4Address) -> None:
        """Leads host ports to a container. Raises NftablesError."""
        self._published.update(dict.fromkeys(leases, address))
        self._change(leases, "".join(ruleset.publish(self._rules, lease, address) for lease in leases))

    def withdraw(self, leases: Iterable[Lease]) -> None:
        """Leads host ports nowhere. Raises NftablesError."""
        known = {lease: self._published.pop(lease) for lease in leases if lease in self._published}
        self._change(known, "".join(ruleset.withdraw(self._rules, *each) for each in known.items()))

    def _change(self, leases: Iterable[Lease], commands: str) -> None:
        if not commands:
            return
        try:
            self._kernel.nft.run(commands)
        except NftablesError:
            # Somebody flushed the table; it is made anew from what we know.
            self.repair()
        datagrams = {lease.port for lease in leases if lease.proto == "udp"}
        if datagrams:
            try:
                conntrack.forget(self._kernel.tracker, socket.IPPROTO_UDP, datagrams)
            except OSError as error:
                _log.warning("datagrams under way may go on to where they went before: %s", error)

    def pass_foreign_chain(self) -> bool:
        """Lets our packets pass iptables' FORWARD chain where its policy is to drop.

        That is what another engine or ufw sets. Our rules come last, so whatever
        the administrator refuses there is refused still. Tells whether the chain
        had to be changed. Raises NftablesError.
        """
        chain, rules = self._foreign_chain()
        if chain.get("policy") != "drop" or len(rules) == len(ruleset.allowances(self._rules.bridge)):
            return False
        self._forget_foreign(rules)
        self._kernel.nft.run("".join(ruleset.allowances(self._rules.bridge)))
        return True

    def remove(self) -> None:
        """Leaves no rule of ours anywhere. Raises NftablesError."""
        self._published.clear()
        self._kernel.nft.run(ruleset.remove(self._rules.bridge))
        self._forget_foreign(self._foreign_chain()[1])

    def _foreign_chain(self) -> tuple[dict[str, Any], list[int]]:
        """The chain itself, empty where there is none, and the handles of our rules in it."""
        try:
            entries = self._kernel.nft.list("list chain ip filter FORWARD")
        except NftablesError:
            return {}, []
        chain: dict[str, Any] = {}
        handles = []
        for entry in entries:
            if "chain" in entry:
                chain = entry["chain"]
            elif entry.get("rule", {}).get("comment") == self._rules.table:
                handles.append(int(entry["rule"]["handle"]))
        return chain, handles

    def _forget_foreign(self, handles: Iterable[int]) -> None:
        commands = "".join(f"delete rule ip filter FORWARD handle {handle}\n" for handle in handles)
        if commands:
            self._kernel.nft.run(commands)
