"""Sending one container's log on, as fast as its server takes it and as long as that takes."""

import asyncio
import errno
import logging
import os
from collections import deque

from lading.aio.tasks import in_thread
from lading.errors import LadingError
from lading.logs.contract import Entry
from lading.logs.forward import position as notes
from lading.logs.forward.dial import go_reason
from lading.logs.forward.links import Link
from lading.logs.forward.position import Position
from lading.logs.forward.spool import Spool
from lading.logs.options import Delivery
from lading.logs.watch import Watcher

_log = logging.getLogger(__name__)

LINGER = 1.0
"""How many seconds a connection must live on before what was sent through it counts as arrived."""
_NOTE = 0.5
_SHORTEST, _LONGEST = 0.1, 3.0
_SLOW = 1.0


class Forwarder:
    """One container's way to its log server.

    At least once: after a break, and after the daemon was killed, what was
    sent within the last second or so is sent again.
    """

    def __init__(
        self,
        name: str,
        spool: str,
        note: str,
        link: Link,
        delivery: Delivery,
        watcher: Watcher,
        *,
        least_wait: float = 0,
    ) -> None:
        self._name = name
        self._path = spool
        self._note = note
        self._link = link
        self._delivery = delivery
        self._watcher = watcher
        self._shortest = max(least_wait, _SHORTEST)
        self._spool = Spool(spool)
        self._connected = False
        self._ending = asyncio.Event()
        self._confirmed: Position | None = None
        self._noted: Position | None = None
        self._noted_at = 0.0
        self._sent: deque[tuple[float, Position]] = deque()
        self._failing = False
        self._dropped = 0
        self._stalled = False
        self.progress = 0
        """Grows with all that the server takes."""

    async def connect(self) -> None:
        """Raises DialError."""
        await self._link.connect()
        self._connected = True

    def end(self) -> None:
        """The container has printed its last: what is left is sent, then the forwarder is done."""
        self._ending.set()

    async def run(self) -> None:
        """Until `end` was called and all is sent; or until it is cancelled."""
        self._confirmed = self._noted = notes.load(self._note)
        wait = self._shortest
        try:
            self._spool.seek(self._confirmed)
            while True:
                try:
                    await self._send_all()
                    return
                except (OSError, LadingError) as error:
                    wait = min(wait * 2, max(_LONGEST, self._shortest)) if self._stalled else self._shortest
                    await self._failed(error, wait)
        finally:
            self._finish()

    async def _failed(self, error: OSError | LadingError, wait: float) -> None:
        self._link.close()
        self._connected = False
        if not self._failing:
            reason = error.message if isinstance(error, LadingError) else go_reason(error)
            _log.warning(
                "container %s: its log cannot be sent, and waits on the disk: %s", self._name, reason
            )
        self._failing = True
        self._sent.clear()
        self._spool.seek(self._confirmed)
        self._shed()
        await asyncio.sleep(wait)

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        self._stalled = True
        if not self._connected:
            await self.connect()
        with self._watcher.watch(self._path) as changes:
            ending = asyncio.ensure_future(self._ending.wait())
            ending.add_done_callback(lambda _: changes.wake())
            try:
                while True:
                    changes.clear()
                    over = self._ending.is_set()
                    if found := self._spool.read():
                        begun = loop.time()
                        await self._send(found)
                        if loop.time() - begun > _SLOW:
                            self._shed()
                        continue
                    if over and not self._sent:
                        return
                    self._check_sound()
                    await self._confirm(loop.time())
                    if over and not self._sent:
                        return
                    await changes.wait(LINGER if self._sent or self._noted != self._confirmed else None)
            finally:
                ending.cancel()

    async def _send(self, found: list[Entry]) -> None:
        await self._link.send(found)
        self.progress += 1
        now = asyncio.get_running_loop().time()
        if position := self._spool.position:
            self._sent.append((now, position))
        await self._confirm(now)
        # A log that grows faster than it is sent must not keep others waiting.
        await asyncio.sleep(0)

    def _check_sound(self) -> None:
        if not self._link.sound():
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

    async def _confirm(self, now: float) -> None:
        """Counts as arrived what was sent long enough ago, and notes it now and then."""
        before = self._confirmed
        certain = self._link.certain
        if self._sent and not certain:
            self._check_sound()
        while self._sent and (certain or self._sent[0][0] + LINGER <= now):
            self._confirmed = self._sent.popleft()[1]
            self.progress += 1
            if self._failing:
                _log.info("container %s: its log is being sent again", self._name)
            self._failing = self._stalled = False
        if before is not None and self._confirmed is not None and before.inode != self._confirmed.inode:
            self._spool.trim(self._delivery.keep, self._confirmed)
        if now >= self._noted_at + _NOTE:
            self._noted_at = now
            await in_thread(self._take_note)

    def _take_note(self) -> None:
        confirmed = self._confirmed
        if confirmed is None or confirmed == self._noted:
            return
        try:
            notes.save(self._note, confirmed)
        except OSError as error:
            # The next note will do; without one only more is sent again.
            _log.warning("container %s: cannot note how far its log was sent: %s", self._name, error)
        self._noted = confirmed

    def _shed(self) -> None:
        """In the mode non-blocking: passes over what exceeds the buffer."""
        buffer = self._delivery.buffer
        if not buffer or self._spool.behind() <= buffer:
            return
        dropped = self._spool.skip_to(buffer)
        if not self._dropped:
            _log.warning(
                "container %s: more than max-buffer-size waits to be sent; dropping the oldest of it",
                self._name,
            )
        self._dropped += dropped
        self._sent.clear()
        self._confirmed = self._spool.position

    def _finish(self) -> None:
        if self._sent and self._link.sound():
            self._confirmed = self._sent[-1][1]
        self._link.close()
        self._take_note()
        self._spool.close()

    def unsent(self) -> int:
        """How many bytes wait."""
        return self._spool.behind()
