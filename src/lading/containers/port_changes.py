"""What a container publishes after some ports came and others went. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lading.errors import InvalidParameter, NotFound
from lading.network import parse_ports
from lading.schema.container import HostConfig, PortBinding, PublishedPort

Bindings = dict[str, list[PortBinding]]
_ANYWHERE = "0.0.0.0"


@dataclass(frozen=True, slots=True)
class Published:
    """A port of the container ("80/tcp") and the host's address and port that lead to it."""

    port: str
    host_ip: str
    host_port: str


def bindings_of(wanted: Iterable[PublishedPort]) -> Bindings:
    """As `PortBindings`, with a protocol for each. Raises InvalidParameter."""
    found: Bindings = {}
    for wish in wanted:
        if not wish.port:
            raise InvalidParameter("a port to be published needs its Port")
        text = wish.port if "/" in wish.port else f"{wish.port}/{wish.protocol or 'tcp'}"
        for number, proto in parse_ports(text):
            binding = PortBinding(host_ip=wish.host_ip, host_port=wish.host_port)
            found.setdefault(f"{number}/{proto}", []).append(binding)
    return found


def shown(ports: Mapping[str, Sequence[Mapping[str, str]] | None]) -> list[Published]:
    """What a running container publishes, from the `Ports` it is shown with."""
    return [
        Published(port, binding["HostIp"], binding["HostPort"])
        for port, bindings in ports.items()
        for binding in bindings or ()
    ]


def asked(host: HostConfig) -> list[Published]:
    """What a container is to publish once it runs."""
    return [
        Published(port, binding.host_ip or _ANYWHERE, binding.host_port)
        for port, bindings in (host.port_bindings or {}).items()
        for binding in bindings or ()
    ]


def matching(published: Sequence[Published], unwanted: Iterable[PublishedPort]) -> list[Published]:
    """Those that are to go. Raises NotFound for a wish that means none of them."""
    found: list[Published] = []
    for wish in unwanted:
        meant = [each for each in published if _means(wish, each)]
        if not meant:
            words = ":".join(part for part in (wish.host_ip, wish.host_port, wish.port) if part)
            raise NotFound(f"No public port '{words}' published")
        found += [each for each in meant if each not in found]
    return found


def _means(wish: PublishedPort, published: Published) -> bool:
    number, _, proto = published.port.partition("/")
    wanted, _, wanted_proto = wish.port.partition("/")
    wanted_proto = wanted_proto or wish.protocol
    return (
        bool(wish.port or wish.host_port)
        and wanted in ("", number)
        and wanted_proto in ("", proto)
        and wish.host_ip in ("", published.host_ip)
        and wish.host_port in ("", published.host_port)
    )


def with_more(host: HostConfig, more: Bindings) -> Bindings:
    """The bindings with others added."""
    found = {port: list(bindings or ()) for port, bindings in (host.port_bindings or {}).items()}
    for port, bindings in more.items():
        found.setdefault(port, []).extend(bindings)
    return found


def with_fewer(host: HostConfig, running: Sequence[Published], gone: Iterable[Published]) -> Bindings:
    """The bindings without those that led to what is gone.

    Where all exposed ports were published, those left of them become bindings of their own.
    """
    found = with_more(host, {})
    if host.publish_all_ports:
        for each in running:
            found.setdefault(each.port, [PortBinding()])
    for each in gone:
        bindings = found.get(each.port, [])
        best = min(bindings, key=lambda binding: _distance(binding, each), default=None)
        if best is not None:
            bindings.remove(best)
        if not bindings:
            found.pop(each.port, None)
    return found


def _distance(binding: PortBinding, published: Published) -> int:
    """How far a binding is from having led to this: the very port, a range with it, any port, another."""
    if (binding.host_ip or _ANYWHERE) != published.host_ip:
        return 4
    first, _, last = binding.host_port.partition("-")
    if binding.host_port == published.host_port:
        return 0
    if last and int(first) <= int(published.host_port) <= int(last):
        return 1
    return 2 if binding.host_port in ("", "0") else 3
