"""Publishing ports of a container that exists, and taking them back; beyond Docker's API."""

from lading.containers import port_changes
from lading.containers.context import Context
from lading.containers.network_of import joined_of
from lading.containers.record import Container
from lading.errors import Conflict
from lading.schema.container import LiveChanges


async def change_ports(ctx: Context, container: Container, changes: LiveChanges) -> None:
    """Runs on the container's worker. Ports that go make room for those that come.

    Where those that come cannot be had, those that went come back. Raises
    InvalidParameter, NotFound, Conflict, InternalError.
    """
    host = container.definition.host
    if not changes.publish_add and not changes.publish_remove:
        return
    if host.network_mode in ("host", "none") or host.network_mode.startswith("container:"):
        raise Conflict(f"a container with network mode {host.network_mode} publishes no ports of its own")
    more = port_changes.bindings_of(changes.publish_add or ())
    joined = container.state.joined if container.state.running else None
    published = port_changes.shown(joined.ports) if joined else port_changes.asked(host)
    gone = port_changes.matching(published, changes.publish_remove or ())
    host_before = (host.port_bindings, host.publish_all_ports)
    if gone:
        host.port_bindings = {**port_changes.with_fewer(host, published, gone)}
        host.publish_all_ports = False
    host.port_bindings = {**port_changes.with_more(host, more)}
    try:
        if joined:
            leases = [(each.port, each.host_ip, each.host_port) for each in gone]
            container.state.joined = joined_of(await ctx.networks.republish(container.id, leases, more))
            ctx.store.save_state(container)
    except BaseException:
        host.port_bindings, host.publish_all_ports = host_before
        raise
    config = container.definition.config
    config.exposed_ports = {**(config.exposed_ports or {}), **{port: {} for port in more}} or None
    ctx.store.save_definition(container)
