"""What the daemon's flags say of the default bridge."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from lading.errors import InvalidParameter

DEFAULT_BRIDGE = "lading0"

_LINK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\Z")
_HIGHEST_MTU = 65535
_LONGEST_SUBNET = 30


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """dockerd's flags of the same names. An empty `bip` lets the engine choose, an `mtu` of 0 too."""

    bridge: str = DEFAULT_BRIDGE
    bip: str = ""
    fixed_cidr: str = ""
    mtu: int = 0
    icc: bool = True
    ip_masq: bool = True
    pools: tuple[tuple[str, int], ...] = ()
    """Address pools of user-defined networks: base and prefix length; empty for docker's own."""
    dns: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    """For containers that ask for no name servers and no options of resolv.conf themselves."""

    def check(self) -> None:
        """Raises InvalidParameter for values that cannot be."""
        if not _LINK_NAME.match(self.bridge):
            raise InvalidParameter(f"invalid bridge name: {self.bridge!r}")
        if not 0 <= self.mtu <= _HIGHEST_MTU:
            raise InvalidParameter(f"invalid mtu: {self.mtu}")
        for base, size in self.pools:
            _check_pool(base, size)
        bip = self.address
        pool = self.pool
        if pool is not None and bip is not None and not pool.subnet_of(bip.network):
            raise InvalidParameter(
                f"invalid fixed-cidr {pool}: it is not within the bridge's subnet {bip.network}"
            )

    @property
    def address(self) -> IPv4Interface | None:
        """The bridge's own address, where one is set. Raises InvalidParameter."""
        if not self.bip:
            return None
        try:
            address = IPv4Interface(self.bip)
        except ValueError as error:
            raise InvalidParameter(f"invalid bip {self.bip}: {error}") from None
        if "/" not in self.bip or address.network.prefixlen > 30:
            raise InvalidParameter(
                f"invalid bip {self.bip}: an address with a prefix length up to 30 is needed"
            )
        if address.ip in (address.network.network_address, address.network.broadcast_address):
            raise InvalidParameter(
                f"invalid bip {self.bip}: the first and last address of a subnet name no host"
            )
        return address

    @property
    def pool(self) -> IPv4Network | None:
        """The part of the subnet that containers get, where one is set. Raises InvalidParameter."""
        if not self.fixed_cidr:
            return None
        try:
            return IPv4Network(self.fixed_cidr)
        except ValueError as error:
            raise InvalidParameter(f"invalid fixed-cidr {self.fixed_cidr}: {error}") from None


def _check_pool(base: str, size: int) -> None:
    try:
        network = IPv4Network(base)
    except ValueError as error:
        raise InvalidParameter(f"invalid base pool {base!r}: {error}") from None
    if not network.prefixlen <= size <= _LONGEST_SUBNET:
        raise InvalidParameter(f"invalid pools size: {size}, it is not from {network.prefixlen} to 30")
