"""Which host ports a container gets: what was asked for, and what is free. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, ip_address

from msgspec import Struct

from lading.errors import InvalidParameter
from lading.schema.container import PortBinding, Ports

ANYWHERE = "0.0.0.0"
PROTOCOLS = ("tcp", "udp", "sctp")
_SPECIFICATION = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?(?:/([A-Za-z]+))?\Z")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?\Z")
_HIGHEST = 65535


class Wish(Struct, frozen=True):
    """A container port to be published on one host port of `first` to `last`; 0 to 0 is any."""

    proto: str
    target: int
    host_ip: str
    first: int
    last: int

    @property
    def any(self) -> bool:
        return self.last == 0

    def __str__(self) -> str:
        """The host side, as docker names it in errors."""
        span = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.host_ip}:{span}"


class Lease(Struct, frozen=True):
    """A host port that leads to a container's port."""

    proto: str
    host_ip: str
    port: int
    target: int

    def clashes(self, other: "Lease") -> bool:
        """Whether both cannot be had at once; the address for all clashes with every other."""
        return (
            self.proto == other.proto
            and self.port == other.port
            and (self.host_ip == other.host_ip or ANYWHERE in (self.host_ip, other.host_ip))
        )


def parse_ports(specification: str) -> list[tuple[int, str]]:
    """Numbers and protocols from "80", "80/udp" or "8000-8010/tcp". Raises InvalidParameter."""
    found = _SPECIFICATION.match(specification)
    if found is None:
        raise InvalidParameter(f"invalid port specification: {specification!r}")
    first, last, proto = int(found[1]), int(found[2] or found[1]), (found[3] or "tcp").lower()
    if proto not in PROTOCOLS:
        raise InvalidParameter(f"invalid port specification: {specification!r}: unknown protocol {proto}")
    if not 0 < first <= last <= _HIGHEST:
        raise InvalidParameter(f"invalid port specification: {specification!r}: ports are 1 to {_HIGHEST}")
    return [(number, proto) for number in range(first, last + 1)]


def exposed(bindings: Mapping[str, object] | None, ports: Ports | None) -> list[str]:
    """Every port a container shows, as "80/tcp", in order. Raises InvalidParameter."""
    numbers = {port for text in (*(ports or ()), *(bindings or ())) for port in parse_ports(text)}
    return [f"{number}/{proto}" for number, proto in sorted(numbers)]


def wishes(
    bindings: Mapping[str, list[PortBinding] | None] | None,
    ports: Ports | None,
    *,
    publish_all: bool,
    anywhere: str = ANYWHERE,
) -> list[Wish]:
    """What to publish, on the address `anywhere` where none is named. Raises InvalidParameter."""
    found: list[Wish] = []
    for text, wanted in (bindings or {}).items():
        for target, proto in parse_ports(text):
            found.extend(_wish(target, proto, binding, anywhere) for binding in wanted or ())
    if publish_all:
        bound = {(wish.target, wish.proto) for wish in found}
        for text in exposed(bindings, ports):
            number, _, proto = text.partition("/")
            if (int(number), proto) not in bound:
                found.append(Wish(proto, int(number), anywhere, 0, 0))
    # Fixed ports first, so that a random one cannot take what another asks for.
    return sorted(found, key=lambda wish: (wish.any, wish.last - wish.first))


def _wish(target: int, proto: str, binding: PortBinding, anywhere: str) -> Wish:
    first, last = _host_ports(binding.host_port)
    return Wish(proto, target, _host_address(binding.host_ip) if binding.host_ip else anywhere, first, last)


def _host_ports(text: str) -> tuple[int, int]:
    if text in ("", "0"):
        return 0, 0
    found = _RANGE.match(text)
    if found is None:
        raise InvalidParameter(f"invalid hostPort: {text}")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 < first <= last <= _HIGHEST:
        raise InvalidParameter(f"invalid hostPort: {text}")
    return first, last


def _host_address(text: str) -> str:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        raise InvalidParameter(f"invalid hostIP: {text}") from None
    if not isinstance(address, IPv4Address):
        raise InvalidParameter(
            f"cannot publish on {text}: the engine's networks have no IPv6; name an IPv4 address of the host"
        )
    return str(address)


def candidates(wish: Wish, dynamic: range, after: int) -> Iterator[int]:
    """Host ports in the order to be tried; random ones go on `after` the last handed out."""
    if not wish.any:
        yield from range(wish.first, wish.last + 1)
        return
    start = after + 1 if after + 1 in dynamic else dynamic.start
    yield from range(start, dynamic.stop)
    yield from range(dynamic.start, start)


def view(shown: Iterable[str], leases: Iterable[Lease]) -> dict[str, list[dict[str, str]] | None]:
    """The `Ports` object of a container's inspect."""
    ports: dict[str, list[dict[str, str]] | None] = dict.fromkeys(shown)
    for lease in leases:
        key = f"{lease.target}/{lease.proto}"
        if not lease.port:
            # Where it is routed there is no host side.
            ports.setdefault(key, None)
            continue
        ports[key] = [*(ports.get(key) or ()), {"HostIp": lease.host_ip, "HostPort": str(lease.port)}]
    return ports
