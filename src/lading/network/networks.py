"""The front door: every call is one deed."""

import builtins
from collections.abc import Collection, Iterable, Mapping

from lading.filters import Filters
from lading.network import view
from lading.network.check import check
from lading.network.connect import connect
from lading.network.context import Context, Publish
from lading.network.kernel import Kernel
from lading.network.opening import close_networks, open_networks
from lading.network.publishing import republish
from lading.network.record import ConnectRequest, Sandbox
from lading.network.release import release
from lading.network.reservations import Reservations
from lading.network.sandboxes import Sandboxes
from lading.network.settings import NetworkSettings
from lading.network.shown import sandbox_of
from lading.network.store import Store
from lading.network.sweeping import sweep
from lading.network.watch import Watch
from lading.schema.container import PortBinding
from lading.schema.network import Network
from lading.state import Database

DRIVERS = ("bridge", "host", "null")


def _silence(*_: object) -> None:
    """Where nobody listens to the news."""


class Networks:
    """The networks of one daemon. To be used on the loop's thread."""

    def __init__(
        self, settings: NetworkSettings, database: Database, directory: str, tell: Publish = _silence
    ) -> None:
        """`directory` is where namespaces are kept; `tell` is the event bus's `publish`."""
        kernel = Kernel()
        self._ctx = Context(
            settings=settings,
            store=Store(database),
            kernel=kernel,
            sandboxes=Sandboxes(directory),
            reservations=Reservations(),
            tell=tell,
        )
        self._watch: Watch | None = None

    async def open(self) -> None:
        """Makes the default networks, or puts right what is there of them.

        Raises InvalidParameter for settings that cannot be, Conflict where another
        daemon has the bridge, InternalError where the kernel lacks something.
        """
        await open_networks(self._ctx)
        self._watch = Watch(self._ctx)

    async def close(self) -> None:
        """Lets go; containers stay connected. Networks without any are taken away."""
        if self._watch is not None:
            self._watch.close()
        await close_networks(self._ctx)

    async def reload(self) -> None:
        """Puts right what somebody changed."""
        for driver in self._ctx.drivers.values():
            await self._ctx.kernel.do(driver.check)

    async def sweep(self, live: Collection[str]) -> None:
        """Removes what belongs to none of the `live` containers and mends what they use."""
        await sweep(self._ctx, live)

    def check(self, request: ConnectRequest) -> None:
        """Whether `connect` could be asked this. Raises NotFound or InvalidParameter."""
        check(self._ctx.networks, request)

    async def connect(self, request: ConnectRequest) -> Sandbox:
        """Gives a starting container its sandbox.

        Raises NotFound, InvalidParameter, Conflict, or InternalError where a port
        or an address cannot be had, in docker's words.
        """
        return await connect(self._ctx, request)

    async def republish(
        self,
        container_id: str,
        unwanted: Iterable[tuple[str, str, str]],
        wanted: Mapping[str, "builtins.list[PortBinding]"],
    ) -> Sandbox:
        """Changes the host ports of a running container.

        `unwanted` are named by the container's port ("80/tcp") and the host's
        address and port. Raises Conflict, InvalidParameter, InternalError.
        """
        return await republish(self._ctx, container_id, unwanted, wanted)

    async def release(self, container_id: str) -> None:
        """Takes it all back. May be repeated."""
        await release(self._ctx, container_id)

    def joined(self, container_id: str) -> Sandbox | None:
        """The sandbox of a container that has one."""
        endpoint = self._ctx.endpoints.get(container_id)
        return sandbox_of(self._ctx, endpoint) if endpoint is not None else None

    def rename(self, container_id: str, name: str) -> None:
        """Shows a container under its new name."""
        endpoint = self._ctx.endpoints.get(container_id)
        if endpoint is not None:
            endpoint.container_name = name
            self._ctx.store.update_endpoint(endpoint)

    def list(self, filters: Filters) -> list[Network]:
        """The networks that pass. Raises InvalidParameter."""
        used = {endpoint.network_id for endpoint in self._ctx.endpoints.values()}
        return [
            view.network_view(network, ())
            for network in self._ctx.networks.values()
            if view.selected(network, filters, used=network.id in used)
        ]

    def inspect(self, reference: str) -> Network:
        """One network by name, ID or beginning of its ID. Raises NotFound or InvalidParameter."""
        network = view.find(tuple(self._ctx.networks.values()), reference)
        return view.network_view(network, self._ctx.endpoints.values())

    def prune(self) -> None:
        """Removes networks that nobody uses: never the default ones, and others there are none."""
        self._ctx.tell("network", "prune", "", {"reclaimed": "0"})

    @property
    def drivers(self) -> tuple[str, ...]:
        """What `/info` lists."""
        return DRIVERS
