"""Connecting a container to a network and taking it off one, whether it runs or not."""

from lading.containers.context import Context
from lading.containers.files import rewrite_files
from lading.containers.network_of import attach_request, connect_request, joined_of
from lading.containers.record import Container, Status
from lading.errors import Conflict, Forbidden, InternalError, InvalidParameter, LadingError, NotFound
from lading.network import Sandbox
from lading.schema.container import EndpointSettings

_SHARED = (
    "container sharing network namespace with another container or host "
    "cannot be connected to any other network"
)
_HOST = "container cannot be disconnected from host network or connected to host network"


async def connect(ctx: Context, container: Container, reference: str, asked: EndpointSettings | None) -> None:
    """Raises NotFound, InvalidParameter, Forbidden, Conflict, InternalError in docker's words."""

    async def work() -> None:
        _check_present(ctx, container)
        mode = container.definition.host.network_mode
        if mode.startswith("container:"):
            raise InvalidParameter(_SHARED)
        network = ctx.networks.record(reference)
        settings = asked or EndpointSettings()
        sandbox = None
        if container.state.running:
            sandbox = await ctx.networks.attach(attach_request(container, {network.name: settings}))
        else:
            _check_stopped(ctx, container, network.name, settings)
        _settle(ctx, container, {**container.definition.networks, network.name: settings}, sandbox)
        if not container.state.running:
            ctx.networks.tell("connect", network, container.id)

    await container.worker.do(work)


def _check_present(ctx: Context, container: Container) -> None:
    if container.id not in ctx.registry:
        raise NotFound(f"No such container: {container.id}")
    if container.state.status in (Status.REMOVING, Status.DEAD):
        raise Conflict(
            f"container {container.id} is marked for removal and cannot be connected or disconnected"
        )


def _check_stopped(ctx: Context, container: Container, name: str, settings: EndpointSettings) -> None:
    networks = container.definition.networks
    if name in networks:
        raise Forbidden(f"endpoint with name {container.name} already exists in network {name}")
    ctx.networks.check(attach_request(container, {**networks, name: settings}))


def _settle(
    ctx: Context, container: Container, networks: dict[str, EndpointSettings], sandbox: Sandbox | None
) -> None:
    """Writes down what a container is to be on, and tells the processes of a running one."""
    container.definition.networks = networks
    with ctx.store.database.transaction():
        ctx.store.save_definition(container)
        if sandbox is not None:
            container.state.joined = joined_of(sandbox)
            ctx.store.save_state(container)
    if sandbox is not None:
        rewrite_files(ctx, container, sandbox)


async def disconnect(ctx: Context, container: Container, reference: str, *, force: bool) -> None:
    """With `force` also off a network that is there no more.

    Raises NotFound, InvalidParameter, Conflict, InternalError.
    """

    async def work() -> None:
        _check_present(ctx, container)
        network = None
        try:
            network = ctx.networks.record(reference)
        except LadingError:
            if not force:
                raise
        name = network.name if network is not None else reference
        definition = container.definition
        if definition.host.network_mode == "host" and name == "host":
            raise InvalidParameter(_HOST)
        sandbox = None
        if container.state.running:
            sandbox = await ctx.networks.detach(connect_request(container), name)
        elif name not in definition.networks:
            raise InternalError(f"container {container.id} is not connected to the network {name}")
        networks = {key: each for key, each in definition.networks.items() if key != name}
        _settle(ctx, container, networks, sandbox)
        if network is not None and not container.state.running:
            ctx.networks.tell("disconnect", network, container.id)

    await container.worker.do(work)
