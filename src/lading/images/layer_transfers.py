"""Layers on their way from registries, shared by the pulls that want them.

One transfer for a digest at a time; at most so many at once in the daemon,
first come, first served. Whoever wants a layer takes a seat; when the last
one leaves, the transfer is stopped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from lading.aio import tasks
from lading.content import Content
from lading.distribution import RegistrySettings, Repository
from lading.errors import LadingError
from lading.images.intake import ArrivedLayer
from lading.images.layer_fetch import LayerFetch, Stopped
from lading.oci.image import Descriptor
from lading.snapshots import Snapshots

Listener = Callable[[str, int, int], None]
"""Hears what is done with a layer now, and how many bytes of how many."""

# Seconds that the daemon's end waits for threads to let go.
_PATIENCE = 5.0


@dataclass(eq=False, slots=True)
class Seat:
    """One pull's share in a transfer. `first` says that the transfer was begun for it."""

    transfer: "Transfer"
    first: bool
    listener: Listener
    leave_transfer: Callable[["Seat"], None]

    async def arrival(self) -> None:
        """Waits until the layer is here. Raises LadingError."""
        await asyncio.shield(self.transfer.arrived)

    def take(self) -> ArrivedLayer:
        """The layer, for the first that takes it; later ones find it existing."""
        held = self.transfer.layer
        if held is None:
            return ArrivedLayer(self.transfer.descriptor.digest)
        return held.take()

    def give_back(self, layer: ArrivedLayer) -> None:
        """The layer was taken in vain and is there for other pulls."""
        if layer.ingest is not None or layer.staged is not None:
            self.transfer.layer = layer.take()

    def leave(self) -> None:
        """Wants the layer no more."""
        self.leave_transfer(self)


@dataclass(eq=False, slots=True)
class Transfer:
    """One layer, its audience, and how far it is."""

    repository: Repository
    descriptor: Descriptor
    fetch: LayerFetch
    arrived: "asyncio.Future[None]"
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    seats: set[Seat] = field(default_factory=set)
    layer: ArrivedLayer | None = None
    last: tuple[str, int, int] = ("Pulling fs layer", 0, 0)
    stopped: bool = False

    def tell(self, action: str, current: int, total: int) -> None:
        self.last = (action, current, total)
        for seat in self.seats:
            seat.listener(action, current, total)


class LayerTransfers:
    """All transfers of the daemon. Loop thread."""

    def __init__(
        self, content: Content, snapshots: Snapshots, settings: Callable[[], RegistrySettings], at_once: int
    ) -> None:
        self._content = content
        self._snapshots = snapshots
        self._settings = settings
        self._at_once = self._free = max(1, at_once)
        self._transfers: dict[str, Transfer] = {}
        self._waiting: deque[Transfer] = deque()
        self._background = tasks.Background()

    async def join(self, repository: Repository, descriptor: Descriptor, listener: Listener) -> Seat:
        """A seat in the transfer of a layer, which begins where there is none."""
        while (transfer := self._transfers.get(descriptor.digest)) is not None and transfer.stopped:
            await transfer.ended.wait()
        first = transfer is None
        if transfer is None:
            transfer = self._begin(repository, descriptor)
        seat = Seat(transfer, first, listener, self._leave)
        transfer.seats.add(seat)
        listener(*transfer.last)
        if first:
            self._waiting.append(transfer)
            self._start_some()
            if transfer in self._waiting:
                transfer.tell("Waiting", 0, 0)
        return seat

    def limit(self, at_once: int) -> None:
        """Another number of transfers at a time; those under way go on."""
        at_once = max(1, at_once)
        self._free += at_once - self._at_once
        self._at_once = at_once
        self._start_some()

    def uses(self, repository: Repository) -> bool:
        """Whether anybody waits for a layer that comes from there."""
        return any(
            transfer.seats and transfer.repository is repository for transfer in self._transfers.values()
        )

    async def close(self) -> None:
        """Stops all of them. What has arrived stays on the disk."""
        self._free = 0
        for transfer in list(self._transfers.values()):
            self._stop(transfer)
        running = [transfer.ended.wait() for transfer in self._transfers.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*running), _PATIENCE)
        except TimeoutError:
            # Their threads end with the process; what they leave is cleared away at the next start.
            await self._background.cancel()

    def _begin(self, repository: Repository, descriptor: Descriptor) -> Transfer:
        loop = asyncio.get_running_loop()

        def report(action: str, current: int, total: int) -> None:
            try:
                loop.call_soon_threadsafe(transfer.tell, action, current, total)
            except RuntimeError:
                # The loop is closed: nobody listens.
                pass

        fetch = LayerFetch(self._content, self._snapshots, repository, descriptor, self._settings(), report)
        transfer = Transfer(repository, descriptor, fetch, loop.create_future())
        transfer.arrived.add_done_callback(_retrieve)
        self._transfers[descriptor.digest] = transfer
        return transfer

    def _start_some(self) -> None:
        while self._free > 0 and self._waiting:
            self._free -= 1
            transfer = self._waiting.popleft()
            self._background.spawn(self._run(transfer), f"fetch layer {transfer.descriptor.digest}")

    async def _run(self, transfer: Transfer) -> None:
        try:
            layer = await tasks.in_own_thread(transfer.fetch.run)
        except (LadingError, Stopped) as error:
            self._forget(transfer)
            _settle(transfer, error if isinstance(error, LadingError) else LadingError("context canceled"))
        except BaseException:
            self._forget(transfer)
            _settle(transfer, LadingError("cannot fetch a layer: the daemon failed, see its log"))
            raise
        else:
            transfer.layer = layer
            _settle(transfer, None)
            if not transfer.seats:
                await self._put_back(transfer)
        finally:
            self._free += 1
            self._start_some()

    def _leave(self, seat: Seat) -> None:
        transfer = seat.transfer
        if seat not in transfer.seats:
            return
        transfer.seats.remove(seat)
        if transfer.seats or self._transfers.get(transfer.descriptor.digest) is not transfer:
            return
        if transfer.arrived.done():
            transfer.stopped = True
            self._background.spawn(self._put_back(transfer), "put a layer back")
        else:
            self._stop(transfer)

    def _stop(self, transfer: Transfer) -> None:
        transfer.stopped = True
        transfer.fetch.stop()
        if transfer in self._waiting:
            self._waiting.remove(transfer)
            self._forget(transfer)
            _settle(transfer, LadingError("context canceled"))

    async def _put_back(self, transfer: Transfer) -> None:
        layer, transfer.layer = transfer.layer, None
        try:
            if layer is not None:
                await tasks.in_thread(layer.leave, self._snapshots)
        finally:
            self._forget(transfer)

    def _forget(self, transfer: Transfer) -> None:
        if self._transfers.get(transfer.descriptor.digest) is transfer:
            del self._transfers[transfer.descriptor.digest]
        transfer.ended.set()


def _settle(transfer: Transfer, error: LadingError | None) -> None:
    if transfer.arrived.done():
        return
    if error is None:
        transfer.arrived.set_result(None)
    else:
        transfer.arrived.set_exception(error)


def _retrieve(arrived: "asyncio.Future[None]") -> None:
    # A failure nobody waits for is no news.
    if not arrived.cancelled():
        arrived.exception()
