"""The daemon's side of the resolver: keeps it there while anybody needs it, and tells it who is called what.

The database has all of it, so a resolver that died is replaced by one that is
told everything, and one found alive when the daemon starts is told the same.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import lading.dns
from lading.aio.companion import connect_companion, spawn_companion
from lading.aio.tasks import Background
from lading.dns import build
from lading.errors import InternalError, LadingError
from lading.network.telling import Told, difference

_log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds the resolver may take to answer, and a start of a container waits for it."""
_LINGER = 60.0
"""Seconds to keep a resolver nobody needs: the next container may come soon."""
_LONGEST_PAUSE = 5.0


class _Line(asyncio.Protocol):
    """A connection on which one question at a time is answered by one line."""

    def __init__(self, lost: Callable[["_Line"], None]) -> None:
        """`lost` is called when it breaks, or is closed."""
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if data.endswith(b"\n") and self._answer is not None and not self._answer.done():
            self._answer.set_result(bytes(self._received))
            self._received.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(InternalError("the resolver is gone"))
        self._lost(self)

    async def ask(self, request: dict[str, Any]) -> Any:
        """Raises InternalError where it breaks, TimeoutError where there is no answer."""
        if self._transport is None or self._transport.is_closing():
            raise InternalError("the resolver is gone")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            return json.loads(await self._answer)

    async def close(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.abort()
            await self._ended.wait()


class Resolver:
    """One resolver's process. To be used on the loop's thread."""

    def __init__(self, directory: str, view: Callable[[], Told]) -> None:
        """`directory` is where its socket and its log are; `view` gives all there is to tell."""
        self._socket_path = f"{directory}/dns.sock"
        self._log_path = f"{directory}/dns.log"
        self._view = view
        self._told: Told | None = None
        self._link: _Line | None = None
        self._background = Background()
        self._work: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._settled.set()
        self._stale = False
        self._leaving: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Finds the one an earlier daemon left, or starts one where containers need it."""
        if self._view()["askers"] or os.path.exists(self._socket_path):
            self.changed()

    async def close(self) -> None:
        """Leaves it alone; it answers on while containers run."""
        if self._leaving is not None:
            self._leaving.cancel()
        await self._background.cancel()
        await self._hang_up()

    def changed(self) -> None:
        """Names have changed: it is told soon."""
        self._stale = True
        self._settled.clear()
        if self._work is None or self._work.done():
            self._work = self._background.spawn(self._tell(), "tell names")

    async def settled(self) -> None:
        """Waits until it knows all changes. Where it cannot be reached that is logged, and tried on."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._settled.wait()
        except TimeoutError:
            _log.error("names are not answered; see %s", self._log_path)

    async def _tell(self) -> None:
        pause = 0.05
        while self._stale:
            self._stale = False
            try:
                await self._tell_once()
            except (LadingError, OSError, ValueError) as error:
                _log.error("cannot tell names to the resolver: %s", error)
                await self._hang_up()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._stale = True
        self._settled.set()

    async def _tell_once(self) -> None:
        wanted = self._view()
        if self._link is None:
            if not wanted["askers"] and not os.path.exists(self._socket_path):
                return
            await self._establish(spawn=bool(wanted["askers"]))
        if self._link is None:
            return
        if news := difference(self._told, wanted):
            answer = await self._ask({"op": "change", **news})
            failed = answer["failed"]
            for asker, reason in failed.items():
                _log.error("container %s: names cannot be answered: %s", asker, reason)
            # With the next change those are tried again.
            askers = {key: facts for key, facts in wanted["askers"].items() if key not in failed}
            self._told = {**wanted, "askers": askers}
        self._linger(needed=bool(wanted["askers"]))

    def _linger(self, *, needed: bool) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if not needed:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(_LINGER, self._leave)

    def _leave(self) -> None:
        self._leaving = None
        if self._told is not None and not self._told["askers"]:
            self._background.spawn(self._hang_up(), "leave the resolver")

    async def _establish(self, *, spawn: bool) -> None:
        self._told = None
        try:
            await self._connect()
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._socket_path)
            if not spawn:
                return
            await self._spawn()
        if (await self._ask({"op": "hello"}))["build"] != build():
            await self._ask({"op": "end"})
            await self._hang_up()
            if spawn:
                await self._spawn()

    async def _spawn(self) -> None:
        directory = os.path.dirname(lading.dns.__file__)
        await spawn_companion("resolver", directory, self._socket_path, self._log_path)
        await self._connect()

    async def _connect(self) -> None:
        connection = connect_companion(self._socket_path, socket.SOCK_STREAM)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        _, self._link = await loop.create_unix_connection(lambda: _Line(self._lost), sock=connection)

    def _lost(self, line: _Line) -> None:
        if self._link is line:
            self._link = self._told = None
            _log.warning("lost the resolver")
            self.changed()

    async def _ask(self, request: dict[str, Any]) -> Any:
        if self._link is None:
            raise InternalError("the resolver is gone")
        try:
            return await self._link.ask(request)
        except TimeoutError:
            raise InternalError(f"the resolver does not answer; see {self._log_path}") from None

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        self._told = None
        if link is not None:
            await link.close()
