"""Networks as the API shows them, and which of them a filter or a name means."""

from collections.abc import Iterable, Sequence

from lading.errors import InvalidParameter, NotFound
from lading.filters import Filters
from lading.network.record import EndpointRecord, NetworkRecord
from lading.schema.network import IPAM, ConfigReference, EndpointResource, IPAMConfig, Network
from lading.units import rfc3339


def network_view(network: NetworkRecord, endpoints: Iterable[EndpointRecord]) -> Network:
    """One network with the containers on it."""
    return Network(
        name=network.name,
        id=network.id,
        created=rfc3339(network.created_ns),
        driver=network.driver,
        ipam=IPAM(options=network.ipam_options, config=_pools(network)),
        internal=network.internal,
        attachable=network.attachable,
        config_from=ConfigReference(network=network.config_from),
        config_only=network.config_only,
        containers={
            endpoint.container_id: EndpointResource(
                name=endpoint.container_name,
                endpoint_id=endpoint.id,
                mac_address=endpoint.mac,
                ipv4_address=endpoint.address,
            )
            for endpoint in endpoints
            if endpoint.network_id == network.id
        },
        options=network.options,
        labels=network.labels,
    )


def _pools(network: NetworkRecord) -> list[IPAMConfig] | None:
    if network.config_only:
        return network.configs
    if not network.address:
        return None if network.predefined else []
    interface = network.interface
    return [
        IPAMConfig(
            subnet=str(interface.network),
            gateway=str(interface.ip),
            ip_range=network.pool,
            auxiliary_addresses=network.auxiliary or None,
        )
    ]


def selected(network: NetworkRecord, filters: Filters, *, used: bool) -> bool:
    """Whether a network passes the filters of `GET /networks`. Raises InvalidParameter."""
    predefined = network.predefined
    kinds = filters.get("type")
    for kind in kinds:
        if kind not in ("builtin", "custom"):
            raise InvalidParameter(f"invalid filter 'type={kind}'")
    dangling = filters.flag("dangling")
    return (
        filters.fuzzy("name", network.name)
        and filters.fuzzy("id", network.id)
        and filters.exact("driver", network.driver)
        and filters.exact("scope", "local")
        and filters.labels(network.labels)
        and (not kinds or ("builtin" if predefined else "custom") in kinds)
        and (dangling is None or dangling == (not predefined and not used))
    )


def find(networks: Sequence[NetworkRecord], reference: str) -> NetworkRecord:
    """The network of that ID, name, or beginning of an ID. Raises NotFound or InvalidParameter."""
    for exact in (
        [network for network in networks if network.id == reference],
        [network for network in networks if network.name == reference],
    ):
        if exact:
            return exact[0]
    partial = [network for network in networks if reference and network.id.startswith(reference)]
    if len(partial) > 1:
        raise InvalidParameter(
            f"network {reference} is ambiguous ({len(partial)} matches found based on ID prefix)"
        )
    if not partial:
        raise NotFound(f"network {reference} not found")
    return partial[0]
