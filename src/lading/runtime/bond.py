"""A lasting bond with the keeper: found or spawned, found again, replaced when it has died."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from lading.aio.tasks import Background
from lading.errors import InternalError, LadingError, NotFound, Unavailable
from lading.keeper import Message, build
from lading.runtime.holdings import Held, HeldClient, Holdings
from lading.runtime.link import Link, LinkLost, connect
from lading.runtime.spawn import become_subreaper, exit_code_of_child, spawn_keeper

_log = logging.getLogger(__name__)

_PATIENCE = 30.0
_LONGEST_PAUSE = 5.0


class Bond:
    """`ask` reaches whatever keeper there is; `ended` and `detached` are its news.

    `keeper` is the process id of the one last agreed with.
    """

    def __init__(
        self,
        socket_path: str,
        log_path: str,
        ended: Callable[[Held], None],
        detached: Callable[[Message], None],
    ) -> None:
        self._socket_path = socket_path
        self._log_path = log_path
        self._ended = ended
        self._detached = detached
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._closing = False
        self.keeper = 0
        self._background = Background()
        self.holdings = Holdings()

    async def open(self) -> None:
        """Finds the keeper, or spawns one. Raises LadingError where neither succeeds."""
        become_subreaper()
        await self._establish()

    async def close(self) -> None:
        """Leaves the keeper to itself."""
        self._closing = True
        await self._background.cancel()
        if self._link is not None:
            self._link.close()
        for held in self.holdings.processes.values():
            self._stop_watching(held)
        self.holdings.close()

    async def ask(
        self,
        operation: str,
        descriptors: Mapping[str, int] | None = None,
        /,
        *,
        repeat: bool = False,
        **fields: Any,
    ) -> tuple[Message, dict[str, int]]:
        """As `Link.ask`, waiting for a keeper to be there; asks the next one too if `repeat`."""
        while True:
            link = await self._ready_link()
            try:
                return await link.ask(operation, descriptors, **fields)
            except LinkLost:
                if not repeat or self._closing:
                    raise

    async def _ready_link(self) -> Link:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._up.wait()
        except TimeoutError:
            raise Unavailable(f"the keeper cannot be reached; see {self._log_path}") from None
        assert self._link is not None
        return self._link

    def _lost(self) -> None:
        self._up.clear()
        if not self._closing:
            self._background.spawn(self._restore(), "find the keeper again")

    async def _restore(self) -> None:
        if self._up.is_set():
            return
        _log.warning("lost the keeper; looking for it")
        pause = 0.1
        while True:
            try:
                await self._establish()
                return
            except (LadingError, OSError) as error:
                _log.error("cannot reach the keeper: %s", error)
            except Exception:
                # Whatever it is, to give up would mean to have no keeper ever again.
                _log.exception("cannot reach the keeper")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _establish(self) -> None:
        try:
            connection = connect(self._socket_path)
        except OSError:
            await spawn_keeper(self._socket_path, self._log_path)
            try:
                connection = connect(self._socket_path)
            except OSError as error:
                raise InternalError(f"the keeper did not start ({error}); see {self._log_path}") from None
        established = False

        def lost() -> None:
            if established:
                self._lost()

        link = self._link = Link(connection, self._news, lost)
        try:
            async with asyncio.timeout(_PATIENCE):
                about, _ = await link.ask("hello")
            if about["build"] != build():
                await link.ask("upgrade")
            await self._agree(link, about["pid"], set(about["keys"]))
        except TimeoutError:
            link.close()
            raise Unavailable(f"the keeper does not answer; see {self._log_path}") from None
        except BaseException:
            link.close()
            raise
        established = True
        self._up.set()

    async def _agree(self, link: Link, keeper: int, keys: set[str]) -> None:
        """Makes the keeper `keeper` hold what we hold and us what it holds.

        All along others let go of what they no longer need, so nothing is
        looked at across an await that was not looked up again. Breaks off
        where the link does; another try goes on from what was reached.
        """
        processes, parked = self.holdings.processes, self.holdings.parked
        missing = [held for key, held in processes.items() if key not in keys]
        if missing and not keys and self.holdings.journal >= 0:
            answer, _ = await link.ask("take_journal", {"journal": self.holdings.journal})
            # What the dead keeper was busy with is the first thing to be finished.
            missing.sort(key=lambda held: answer["in_flight"] not in (held.facts["slots"] or ()))
        for held in missing:
            if processes.get(held.facts["key"]) is held:
                await self._hand_over(link, held)
        await self._hand_over_clients(link, keeper)
        for number, connection in tuple(parked.items()):
            if number in parked and connection.keeper != keeper:
                named = {"connection": connection.descriptor}
                await link.ask("park", named, about=connection.wishes, number=number)
                connection.keeper = keeper
        for key in keys:
            await self._learn(link, keeper, key)
        _, named = await link.ask("journal")
        self.holdings.replace_journal(named["journal"])
        self.keeper = keeper

    async def _hand_over(self, link: Link, held: Held) -> None:
        known = held.running
        try:
            facts, _ = await link.ask("adopt", held.descriptors, facts=held.facts)
        except LinkLost:
            raise
        except LadingError as error:
            _log.error("the keeper cannot take over %s: %s", held.facts["key"], error)
            return
        held.facts.update(facts)
        if held.running and "pidfd" in held.descriptors:
            pidfd = held.descriptors["pidfd"]
            asyncio.get_running_loop().add_reader(pidfd, self._bury, held)
        elif known and not held.running:
            self._has_ended(held)

    def _bury(self, held: Held) -> None:
        """An adopted process has ended. If it fell to us as the dead keeper's parent, so does its code."""
        self._stop_watching(held)
        code = exit_code_of_child(held.descriptors["pidfd"])
        if code is not None:
            key = held.facts["key"]
            self._background.spawn(self.ask("exited", key=key, code=code, repeat=True), "tell an exit")

    def _stop_watching(self, held: Held) -> None:
        if "pidfd" in held.descriptors:
            asyncio.get_running_loop().remove_reader(held.descriptors["pidfd"])

    async def _hand_over_clients(self, link: Link, keeper: int) -> None:
        clients = self.holdings.clients
        strangers = [number for number, client in clients.items() if client.keeper != keeper]
        # Their numbers were the dead keeper's; until a new one has counted them, any will do.
        lowest = min((0, *clients))
        waiting = {lowest - place: clients.pop(number) for place, number in enumerate(strangers, start=1)}
        clients.update(waiting)
        for number, client in waiting.items():
            try:
                answer, _ = await link.ask("attach", {"client": client.descriptor}, wishes=client.wishes)
            except LinkLost:
                raise
            except LadingError:
                clients.pop(number).end()
            else:
                client.keeper = keeper
                clients[answer["client"]] = clients.pop(number)

    async def _learn(self, link: Link, keeper: int, key: str) -> None:
        try:
            answer, named = await link.ask("handles", key=key)
        except NotFound:
            return
        clients = {wishes["id"]: named.pop(f"client-{wishes['id']}") for wishes in answer["clients"]}
        for wishes in answer["clients"]:
            number = wishes["id"]
            if number in self.holdings.clients:
                os.close(clients[number])
            else:
                self.holdings.clients[number] = HeldClient({**wishes, "early": ""}, clients[number], keeper)
        former = self.holdings.processes.get(key)
        held = self.holdings.processes[key] = Held(answer["facts"], named)
        if former is not None:
            self._stop_watching(former)
            former.drop_all()
            if former.running and not held.running:
                self._has_ended(held)

    def hold(self, facts: Message, descriptors: dict[str, int]) -> Held:
        """Notes a process just launched."""
        held = self.holdings.processes[facts["key"]] = Held(facts, descriptors)
        for client in self.holdings.clients.values():
            if client.wishes["key"] == facts["key"]:
                client.wishes["early"] = ""
        return held

    async def forget(self, key: str) -> None:
        """Lets keeper and daemon forget an ended process, or clients that wait for a start."""
        self._let_go(key)
        try:
            await self.ask("forget", key=key, repeat=True)
        except NotFound:
            pass
        # While this waited for a keeper to be there, it may have been learnt anew.
        self._let_go(key)

    def _let_go(self, key: str) -> None:
        held = self.holdings.processes.pop(key, None)
        if held is not None:
            self._stop_watching(held)
            held.drop_all()

    def _news(self, message: Message) -> None:
        kind = message["news"]
        if kind == "detached":
            self._detached(message)
        elif kind == "gone":
            client = self.holdings.clients.pop(message["client"], None)
            if client is not None:
                client.close()
        elif message["key"] in self.holdings.processes:
            held = self.holdings.processes[message["key"]]
            if kind == "stdin-closed":
                held.drop("stdin")
            elif kind == "exit" and held.running:
                held.facts.update(message)
                self._has_ended(held)

    def _has_ended(self, held: Held) -> None:
        self._stop_watching(held)
        held.drop_all()
        self._ended(held)
