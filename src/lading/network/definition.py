"""What `POST /networks/create` asks, checked and made a record. Pure.

Source: Engine API 1.51, NetworkCreate; words of errors as docker's.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Network, ip_address, ip_network

from lading.errors import Conflict, Forbidden, InvalidParameter, NotFound, Unsupported
from lading.network.bridge_options import bridge_options, read_mtu
from lading.network.parents import parent_options
from lading.network.record import PREDEFINED, NetworkRecord
from lading.network.ruleset import ISOLATED
from lading.schema.network import IPAM, IPAMConfig, NetworkCreateBody

DRIVERS = ("bridge", "host", "ipvlan", "macvlan", "null")
_ISOLATED_OUTSIDE = "gateway mode 'isolated' can only be used for an internal network"
_NO_IPV6 = (
    "this engine's networks have no IPv6 yet; create the network without --ipv6 and without IPv6 subnets"
)


def define(
    body: NetworkCreateBody, present: Mapping[str, NetworkRecord], identifier: str, created_ns: int
) -> NetworkRecord:
    """The record, with its subnet where the user chose one.

    Raises InvalidParameter, Forbidden, NotFound, Conflict, Unsupported.
    """
    _check_name(body.name, present)
    if body.ingress or body.scope == "swarm":
        raise Forbidden(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
            "connect this node to swarm and try again."
        )
    source = _source(body, present)
    driver = body.driver or "bridge"
    _check_driver(driver)
    _check_families(body)
    ipam = body.ipam or IPAM()
    if ipam.driver not in ("", "default"):
        raise NotFound(
            f"could not find plugin {ipam.driver} in v1 plugin registry: plugin not found: "
            "the IPAM driver of this engine is called default"
        )
    record = NetworkRecord(
        id=identifier,
        name=body.name,
        driver=driver,
        created_ns=created_ns,
        internal=body.internal,
        attachable=body.attachable,
        ipam_options=ipam.options,
        config_only=body.config_only,
        configs=ipam.config or [],
        options=dict(body.options or {}),
        labels=dict(body.labels or {}),
    )
    check_configs(record.configs)
    if source is not None:
        _borrow(record, source)
    if record.config_only:
        # As docker shows it: a configuration is nobody's to carry packets for.
        record.driver = "null"
        return record
    _check_options(record)
    _take_configs(record)
    return record


def _check_name(name: str, present: Mapping[str, NetworkRecord]) -> None:
    if not name.strip():
        raise InvalidParameter(f"invalid name: {name}")
    if "/" in name or "\0" in name:
        raise InvalidParameter(f"invalid name: {name}: a network's name cannot hold a slash")
    if name in (*PREDEFINED, "default"):
        raise Forbidden(f"operation is not permitted on predefined {name} network ")
    if name in present:
        raise Conflict(f"network with name {name} already exists")


def _check_driver(driver: str) -> None:
    if driver in ("host", "null"):
        raise Forbidden(f'only one instance of "{driver}" network is allowed')
    if driver == "overlay":
        raise Forbidden(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
            "this node to swarm and try again."
        )
    if driver not in DRIVERS:
        raise NotFound(f"could not find plugin {driver} in v1 plugin registry: plugin not found")


def _check_families(body: NetworkCreateBody) -> None:
    if body.enable_ipv4 is False and not body.enable_ipv6:
        raise InvalidParameter("IPv4 or IPv6 must be enabled")
    if body.enable_ipv6 or body.enable_ipv4 is False:
        raise Unsupported(_NO_IPV6)


def _source(body: NetworkCreateBody, present: Mapping[str, NetworkRecord]) -> NetworkRecord | None:
    """The network whose configuration is used, where one is named."""
    if body.config_only and body.config_from is not None and body.config_from.network:
        raise Forbidden("a configuration network cannot depend on another configuration network")
    if body.config_from is None or not body.config_from.network:
        return None
    name = body.config_from.network
    source = present.get(name) or next((each for each in present.values() if each.id == name), None)
    if source is None:
        raise NotFound(f"configuration network {name!r} does not exist".replace("'", '"'))
    if not source.config_only:
        raise Forbidden(f'"{source.name}" is not a configuration network')
    config = body.ipam.config if body.ipam is not None else None
    if config or body.options or body.internal:
        raise Forbidden(
            "user specified configurations are not supported if the network depends on "
            "a configuration network"
        )
    return source


def _borrow(record: NetworkRecord, source: NetworkRecord) -> None:
    record.config_from = source.name
    record.configs, record.ipam_options = list(source.configs), source.ipam_options
    record.options, record.internal = dict(source.options), source.internal
    record.labels = {**source.labels, **record.labels}


def _check_options(record: NetworkRecord) -> None:
    if record.driver == "bridge":
        options = bridge_options(record.options)
        if options.mode == ISOLATED and not record.internal:
            raise InvalidParameter(_ISOLATED_OUTSIDE)
        return
    read_mtu(record.options)
    parent_options(record.driver, record.options)


def _take_configs(record: NetworkRecord) -> None:
    """Takes subnet, range, gateway and reserved addresses from the one IPv4 pool."""
    configs = [config for config in record.configs if config.subnet]
    if len(configs) > 1:
        raise Unsupported("this engine's networks have one IPv4 subnet each; create one network for each")
    for config in configs:
        subnet = IPv4Network(config.subnet)
        record.pool = config.ip_range
        record.auxiliary = dict(config.auxiliary_addresses or {})
        gateway = IPv4Address(config.gateway) if config.gateway else first_host(subnet, record.pool)
        record.address = str(IPv4Interface((gateway, subnet.prefixlen)))
        record.subnet_asked = True
    record.configs = []


def first_host(subnet: IPv4Network, pool: str) -> IPv4Address:
    """The gateway where none is named: the first address that is given out."""
    first = IPv4Network(pool).network_address if pool else subnet.network_address
    return first + 1 if first == subnet.network_address and subnet.prefixlen < 31 else first


def check_configs(configs: list[IPAMConfig]) -> None:
    """Raises InvalidParameter with everything that is wrong, Unsupported for IPv6."""
    problems = [problem for config in configs for problem in _problems(config)]
    if problems:
        said = problems[0] if len(problems) == 1 else "\n".join(f"* {problem}" for problem in problems)
        raise InvalidParameter(f"invalid network config:\n{said}")


def _problems(config: IPAMConfig) -> Iterator[str]:
    if not config.subnet:
        if config.ip_range or config.gateway or config.auxiliary_addresses:
            yield "a subnet is needed with an ip-range, a gateway or auxiliary addresses"
        return
    try:
        subnet = ip_network(config.subnet, strict=False)
    except ValueError:
        subnet = None
    if subnet is None or "/" not in config.subnet:
        yield f"invalid subnet {config.subnet}: invalid CIDR block notation"
        return
    if isinstance(subnet, IPv6Network):
        raise Unsupported(_NO_IPV6)
    if str(subnet.network_address) != config.subnet.partition("/")[0]:
        yield f"invalid subnet {config.subnet}: it should be {subnet}"
    yield from _range_problems(config.ip_range, subnet)
    if config.gateway:
        yield from _address_problems("gateway", config.gateway, subnet)
    for address in (config.auxiliary_addresses or {}).values():
        yield from _address_problems("auxiliary address", address, subnet)


def _range_problems(text: str, subnet: IPv4Network) -> Iterator[str]:
    if not text:
        return
    try:
        inner = IPv4Network(text, strict=False)
    except ValueError:
        yield f"invalid ip-range {text}: invalid CIDR block notation"
        return
    if inner.prefixlen < subnet.prefixlen:
        yield f"invalid ip-range {text}: CIDR block is bigger than its parent subnet {subnet}"
    if str(inner.network_address) != text.partition("/")[0]:
        yield f"invalid ip-range {text}: it should be {inner}"
    if inner.network_address not in subnet:
        yield f"invalid ip-range {text}: parent subnet {subnet} doesn't contain ip-range"


def _address_problems(kind: str, text: str, subnet: IPv4Network) -> Iterator[str]:
    try:
        address = ip_address(text)
    except ValueError:
        yield f"invalid {kind} {text}: invalid address"
        return
    if address not in subnet:
        yield f"invalid {kind} {text}: parent subnet {subnet} doesn't contain this address"
