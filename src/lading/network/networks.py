"""The front door: every call is one deed."""

import builtins
import os
from collections.abc import Collection, Iterable, Mapping

from lading.filters import Filters
from lading.network import view
from lading.network.attach import attach, detach
from lading.network.check import check
from lading.network.connect import connect
from lading.network.context import Context, Publish
from lading.network.create import create
from lading.network.definition import DRIVERS
from lading.network.kernel import Kernel
from lading.network.naming import RESOLVER, Names, names_of
from lading.network.opening import close_networks, open_networks
from lading.network.publishing import republish
from lading.network.record import ConnectRequest, NetworkRecord, Sandbox
from lading.network.release import release
from lading.network.remove import prune, remove
from lading.network.reservations import Reservations
from lading.network.resolv_internal import HostFile
from lading.network.resolver import Resolver
from lading.network.sandboxes import Sandboxes
from lading.network.settings import NetworkSettings
from lading.network.shown import host_resolv_conf, sandbox_of
from lading.network.store import Store
from lading.network.sweeping import sweep
from lading.network.telling import Told, Usual, facts_of
from lading.network.watch import Watch
from lading.schema.container import PortBinding
from lading.schema.network import Network, NetworkCreateBody
from lading.state import Database


def _silence(*_: object) -> None:
    """Where nobody listens to the news."""


class Networks:
    """The networks of one daemon. To be used on the loop's thread."""

    def __init__(
        self, settings: NetworkSettings, database: Database, directory: str, tell: Publish = _silence
    ) -> None:
        """`directory` is where namespaces are kept, beside it the resolver's socket; `tell` is the
        event bus's `publish`.
        """
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
        self._resolver = Resolver(os.path.dirname(directory), self._names_to_tell)
        self._ctx.renamed, self._ctx.resolver = self._resolver.changed, RESOLVER

    async def open(self) -> None:
        """Makes the default networks, or puts right what is there of them.

        Raises InvalidParameter for settings that cannot be, Conflict where another
        daemon has the bridge, InternalError where the kernel lacks something.
        """
        await open_networks(self._ctx)
        self._resolver.open()
        self._watch = Watch(self._ctx)

    async def close(self) -> None:
        """Lets go; containers stay connected. Networks without any are taken away."""
        if self._watch is not None:
            self._watch.close()
        await self._resolver.close()
        await close_networks(self._ctx)

    async def reload(self) -> None:
        """Puts right what somebody changed."""
        for driver in self._ctx.drivers.values():
            await self._ctx.kernel.do(driver.check)
        # The host may ask other servers now.
        self._resolver.changed()

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
        sandbox = await connect(self._ctx, request)
        await self._names_known(sandbox)
        return sandbox

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

    async def attach(self, request: ConnectRequest) -> Sandbox:
        """Connects a running container to one more network.

        Raises NotFound, InvalidParameter, Forbidden, Conflict, InternalError.
        """
        sandbox = await attach(self._ctx, request)
        await self._names_known(sandbox)
        return sandbox

    async def detach(self, request: ConnectRequest, name: str) -> Sandbox:
        """Takes a running container off the network `name`.

        Raises InvalidParameter, Conflict, InternalError.
        """
        return await detach(self._ctx, request, name)

    def joined(self, container_id: str) -> Sandbox | None:
        """The sandbox of a container that has one."""
        endpoints = self._ctx.joined.get(container_id)
        return sandbox_of(self._ctx, endpoints) if endpoints else None

    def rename(self, container_id: str, name: str) -> None:
        """Shows a container under its new name."""
        for endpoint in self._ctx.joined.get(container_id, ()):
            old = endpoint.container_name
            endpoint.container_name = name
            endpoint.names = [name if each == old else each for each in endpoint.names]
            self._ctx.store.update_endpoint(endpoint)
            if endpoint.names:
                self._ctx.renamed()

    def names(self) -> Names:
        """What a resolver answers from."""
        return names_of(self._ctx.everyone())

    def _names_to_tell(self) -> Told:
        settings = self._ctx.settings
        host = HostFile(host_resolv_conf(shares_host=False)[1])
        return facts_of(self.names(), Usual(host, settings.dns, settings.dns_options))

    async def _names_known(self, sandbox: Sandbox) -> None:
        """Before a container's first program asks for them."""
        if sandbox.resolver:
            await self._resolver.settled()

    def record(self, reference: str) -> NetworkRecord:
        """A network by name, ID or beginning of its ID. Raises NotFound or InvalidParameter."""
        return view.find(tuple(self._ctx.networks.values()), reference)

    def tell(self, action: str, network: NetworkRecord, container_id: str) -> None:
        """Tells the event bus what was done to a container that does not run."""
        attributes = {"container": container_id, "name": network.name, "type": network.driver}
        self._ctx.tell("network", action, network.id, attributes)

    async def create(self, body: NetworkCreateBody) -> str:
        """Makes a network; its ID. Raises LadingError with docker's words."""
        return await create(self._ctx, body)

    async def remove(self, reference: str) -> None:
        """Raises NotFound, Forbidden where it is predefined or in use."""
        await remove(self._ctx, reference)

    async def prune(self, filters: Filters) -> builtins.list[str]:
        """Removes what nobody uses; the names. Raises InvalidParameter."""
        return await prune(self._ctx, filters)

    def list(self, filters: Filters) -> builtins.list[Network]:
        """The networks that pass. Raises InvalidParameter."""
        used = {endpoint.network_id for endpoint in self._ctx.everyone()}
        return [
            view.network_view(network, ())
            for network in self._ctx.networks.values()
            if view.selected(network, filters, used=network.id in used)
        ]

    def inspect(self, reference: str) -> Network:
        """One network by name, ID or beginning of its ID. Raises NotFound or InvalidParameter."""
        return view.network_view(self.record(reference), self._ctx.everyone())

    @property
    def drivers(self) -> tuple[str, ...]:
        """What `/info` lists."""
        return DRIVERS
