"""The forwarders of one engine."""

import asyncio
import logging
import os
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress

from msgspec import Struct

from lading.errors import InternalError, InvalidParameter
from lading.logs.contract import LogFacts
from lading.logs.forward import position as notes
from lading.logs.forward.dial import DialError
from lading.logs.forward.forwarder import Forwarder
from lading.logs.forward.links import link_to
from lading.logs.options import delivery
from lading.logs.servers import SERVERS, Origin, Plan, plan_for
from lading.logs.watch import Watcher
from lading.units import NANOSECOND

_log = logging.getLogger(__name__)

_PATIENCE = 10.0
_GLANCE = 0.1


class ForwardRequest(Struct, frozen=True, kw_only=True):
    """What is to be sent: `spool` is the file of the log, `note` the one that says how far it was sent."""

    driver: str
    options: Mapping[str, str]
    facts: LogFacts
    spool: str
    note: str

    def plan(self, origin: Origin) -> Plan:
        """Raises InvalidParameter."""
        return plan_for(self.driver, self.options, self.facts, origin)

    def unsent(self) -> bool:
        """Whether there is anything behind the place noted last."""
        with suppress(FileNotFoundError):
            position = notes.load(self.note)
            status = os.stat(self.spool)
            return position is None or (position.inode, position.offset) != (status.st_ino, status.st_size)
        return False


class Forwarding:
    """Sends on what those containers print whose log driver belongs to a log server."""

    def __init__(self) -> None:
        self._origin = Origin(os.uname().nodename, os.getpid(), secrets.randbits(63))
        self._watcher = Watcher()
        self._forwarders: dict[str, tuple[Forwarder, asyncio.Task[None]]] = {}
        self._resumed: list[tuple[str, Forwarder]] = []

    async def begin(self, request: ForwardRequest) -> None:
        """Before a container starts; does nothing for a driver without a server.

        Raises InternalError where the server must be there and is not,
        InvalidParameter for options that cannot be.
        """
        if request.driver not in SERVERS:
            return
        prefix = "failed to create task for container: failed to initialize logging driver"
        try:
            plan = request.plan(self._origin)
        except InvalidParameter as error:
            raise InvalidParameter(f"{prefix}: {error.message}") from None
        forwarder = self._forwarder(plan, request)
        if plan.eager:
            try:
                await forwarder.connect()
            except DialError as error:
                raise InternalError(f"{prefix}: {plan.refusal.format(error.message)}") from None
        await self.stop(request.facts.container_id)
        self._spawn(request.facts.container_id, forwarder)

    def resume(self, request: ForwardRequest, *, running: bool) -> None:
        """When the engine starts: goes on where an earlier one was, also with what ended since."""
        container_id = request.facts.container_id
        if request.driver not in SERVERS or container_id in self._forwarders:
            return
        if not (running or request.unsent()):
            return
        try:
            plan = request.plan(self._origin)
        except InvalidParameter as error:
            _log.warning("container %s: its log cannot be sent: %s", container_id, error.message)
            return
        forwarder = self._forwarder(plan, request)
        self._resumed.append((container_id, forwarder))
        self._spawn(container_id, forwarder)

    def agree(self, running: Collection[str]) -> None:
        """Ends those that were resumed for containers that do not run."""
        for container_id, forwarder in self._resumed:
            if container_id not in running:
                forwarder.end()
        self._resumed.clear()

    def _forwarder(self, plan: Plan, request: ForwardRequest) -> Forwarder:
        return Forwarder(
            request.facts.name,
            request.spool,
            request.note,
            link_to(plan),
            delivery(request.options),
            self._watcher,
            least_wait=plan.retry_ns / NANOSECOND,
        )

    def _spawn(self, container_id: str, forwarder: Forwarder) -> None:
        task = asyncio.get_running_loop().create_task(forwarder.run(), name=f"forward {container_id}")
        self._forwarders[container_id] = forwarder, task

        def done(task: asyncio.Task[None]) -> None:
            if self._forwarders.get(container_id) == (forwarder, task):
                del self._forwarders[container_id]
            if not task.cancelled() and (error := task.exception()) is not None:
                _log.error("container %s: its log is not sent any more", container_id, exc_info=error)

        task.add_done_callback(done)

    def ended(self, container_id: str) -> None:
        """The container's process has ended; what is not sent yet still will be."""
        if container_id in self._forwarders:
            self._forwarders[container_id][0].end()

    async def stop(self, container_id: str) -> None:
        """Sends no more of this container's log, and notes how far it came."""
        if container_id in self._forwarders:
            _, task = self._forwarders[container_id]
            task.cancel()
            await asyncio.wait((task,))

    async def finish(self, container_id: str) -> None:
        """Before a container's files go: waits until all is sent, while the server takes any."""
        if container_id not in self._forwarders:
            return
        forwarder, task = self._forwarders[container_id]
        forwarder.end()
        loop, before = asyncio.get_running_loop(), -1
        until = loop.time() + _PATIENCE
        while not task.done() and loop.time() < until:
            await asyncio.wait((task,), timeout=_GLANCE)
            if forwarder.progress != before:
                before, until = forwarder.progress, loop.time() + _PATIENCE
        if not task.done():
            _log.warning(
                "container %s was removed; %d bytes of its log were not sent",
                container_id,
                forwarder.unsent(),
            )
            await self.stop(container_id)

    async def close(self) -> None:
        """Ends all and notes how far they came; the next engine goes on from there."""
        tasks = [task for _, task in self._forwarders.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
