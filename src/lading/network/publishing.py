"""Host ports of a container that runs already."""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack

from lading.errors import Conflict
from lading.network import ports
from lading.network.allot import publishes, take_ports
from lading.network.context import Context
from lading.network.ports import Lease
from lading.network.record import Sandbox
from lading.network.shown import sandbox_of
from lading.schema.container import PortBinding


async def republish(
    ctx: Context,
    container_id: str,
    unwanted: Iterable[tuple[str, str, str]],
    wanted: Mapping[str, list[PortBinding]],
) -> Sandbox:
    """Frees ports, named by the container's port and the host's address and port, then takes others.

    Connections that are under way go on. Raises Conflict where the container
    is on no network that publishes ports, InvalidParameter, InternalError.
    """
    endpoint = next((each for each in ctx.joined.get(container_id, ()) if each.leads_out), None)
    driver = ctx.drivers.get(endpoint.network_id) if endpoint is not None else None
    if endpoint is None or driver is None or not publishes(ctx.network(endpoint)):
        raise Conflict(f"container {container_id} is on no network that publishes ports")
    wishes = ports.wishes(wanted, None, publish_all=False)
    before, exposed = endpoint.leases, endpoint.exposed
    freed = _leases(before, unwanted)
    taken: list[Lease] = []
    async with AsyncExitStack() as undo:
        await ctx.kernel.do(driver.withdraw, endpoint, freed)
        ctx.reservations.give_back(freed)

        async def take_back() -> None:
            await ctx.kernel.do(driver.withdraw, endpoint, taken)
            ctx.reservations.give_back(taken)
            endpoint.leases, endpoint.exposed = before, exposed
            ctx.reservations.retake(freed)
            await ctx.kernel.do(driver.publish, endpoint, freed)

        undo.push_async_callback(take_back)
        await take_ports(ctx, endpoint, wishes, taken)
        gone = set(freed)
        endpoint.leases = [lease for lease in before if lease not in gone] + taken
        endpoint.exposed = ports.exposed(dict.fromkeys((*exposed, *wanted)), None)
        await ctx.kernel.do(driver.publish, endpoint, taken)
        ctx.store.update_leases(endpoint)
        undo.pop_all()
    ctx.reservations.listen(taken)
    return sandbox_of(ctx, ctx.joined[container_id])


def _leases(present: Iterable[Lease], unwanted: Iterable[tuple[str, str, str]]) -> list[Lease]:
    named = set(unwanted)
    return [
        lease
        for lease in present
        if (f"{lease.target}/{lease.proto}", lease.host_ip, str(lease.port)) in named
    ]
