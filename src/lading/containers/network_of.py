"""What a container wants of the network room."""

from lading.containers.context import Context
from lading.containers.record import Container, Joined
from lading.errors import Conflict, NotFound
from lading.network import ConnectRequest, Sandbox
from lading.schema.container import EndpointSettings


def connect_request(container: Container) -> ConnectRequest:
    """The request for a container with a network of its own."""
    definition = container.definition
    disabled = definition.config.network_disabled
    return attach_request(container, {"none": EndpointSettings()} if disabled else definition.networks)


def attach_request(container: Container, networks: dict[str, EndpointSettings]) -> ConnectRequest:
    """The request to be on these networks."""
    config, host = container.definition.config, container.definition.host
    return ConnectRequest(
        container_id=container.id,
        container_name=container.name,
        mode=host.network_mode,
        hostname=config.hostname,
        domainname=config.domainname,
        networks=networks,
        exposed_ports=config.exposed_ports or {},
        port_bindings=host.port_bindings or {},
        publish_all=host.publish_all_ports,
        sysctls=host.sysctls,
        dns=host.dns,
        dns_options=host.dns_options,
    )


def joined_of(sandbox: Sandbox) -> Joined:
    """What is kept, and shown, of a sandbox."""
    return Joined(
        sandbox_id=sandbox.sandbox_id,
        netns_path=sandbox.netns_path,
        networks=sandbox.networks,
        ports=sandbox.ports,
    )


def join_other(ctx: Context, mode: str) -> Joined:
    """The network of the container `mode` ("container:ID") names. Raises Conflict where it does not run."""
    other = _find(ctx, mode)
    if not other.state.running:
        raise Conflict(
            "cannot join network namespace of a non running container: "
            f"container {other.name} is {other.state.status}"
        )
    joined = other.state.joined
    path = joined.netns_path if joined and joined.netns_path else f"/proc/{other.state.pid}/ns/net"
    return Joined(netns_path=path)


def adopt_names(ctx: Context, container: Container) -> None:
    """Who shares another's network is called as it is. Raises NotFound."""
    mode = container.definition.host.network_mode
    if not mode.startswith("container:"):
        return
    config, given = container.definition.config, _find(ctx, mode).definition.config
    if (config.hostname, config.domainname) != (given.hostname, given.domainname):
        config.hostname, config.domainname = given.hostname, given.domainname
        ctx.store.save_definition(container)


def _find(ctx: Context, mode: str) -> Container:
    try:
        return ctx.registry.find(mode.partition(":")[2])
    except NotFound as error:
        raise NotFound(f"joining network namespace of container: {error.message}") from None
