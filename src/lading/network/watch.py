"""Noticing that somebody else changed the firewall, and putting our part right.

Other engines, ufw and firewalld flush chains and change policies while we run.
"""

import asyncio
import errno
import logging
import struct

from lading.errors import LadingError
from lading.linux import netlink
from lading.network.context import Context

_log = logging.getLogger(__name__)

_NFTABLES_GROUP = 7
_NEW_GENERATION = 10 << 8 | 15
_AUTHOR = 2
_FAMILY_HEADER = 4
PAUSE = 0.2
"""Seconds from a change to the check: a reload of theirs comes in several transactions."""


class Watch:
    """Listens for changes of the ruleset. Source: nf_tables.h, NFT_MSG_NEWGEN."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._socket = netlink.Socket(netlink.NETFILTER, (_NFTABLES_GROUP,))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._due = False

    def close(self) -> None:
        """Stops listening."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _read(self) -> None:
        try:
            foreign = any(self._is_foreign(news) for news in self._socket.receive())
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return
            foreign = error.errno == errno.ENOBUFS
        if foreign and not self._due:
            self._due = True
            self._ctx.background.spawn(self._check(), "check the firewall")

    def _is_foreign(self, news: netlink.Reply) -> bool:
        if news.kind != _NEW_GENERATION:
            return False
        author = netlink.attributes(news.body[_FAMILY_HEADER:]).get(_AUTHOR, b"\0\0\0\0")
        return int(struct.unpack("!I", author)[0]) != self._ctx.kernel.thread_id

    async def _check(self) -> None:
        try:
            await asyncio.sleep(PAUSE)
        finally:
            self._due = False
        for driver in list(self._ctx.drivers.values()):
            try:
                await self._ctx.kernel.do(driver.check)
            except LadingError as error:
                _log.error("could not put the firewall right: %s", error.message)
