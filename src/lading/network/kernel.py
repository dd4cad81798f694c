"""The one thread that speaks to the kernel for this room.

Links and rules are made in it one after another, so nothing here needs a
lock, what undoes a step never overtakes it, and the loop does not stand still
while the kernel holds its own.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from lading.errors import InternalError
from lading.linux import netlink, nftables

_log = logging.getLogger(__name__)

_UNDERTAKERS = 4
_GLANCE = 0.0003
"""Seconds between two looks whether a link is gone."""

P = ParamSpec("P")
T = TypeVar("T")


class Kernel:
    """The thread with its sockets. Those may be used by what runs in it only."""

    route: netlink.Socket
    tracker: netlink.Socket
    nft: nftables.Nftables

    def __init__(self) -> None:
        self.thread_id = 0
        self._thread = ThreadPoolExecutor(1, "network")
        self._undertakers = ThreadPoolExecutor(_UNDERTAKERS, "links")

    async def open(self) -> None:
        """Raises InternalError where the kernel or a library lacks something."""
        await self.do(self._open)

    def _open(self) -> None:
        self.thread_id = threading.get_native_id()
        self.route = netlink.Socket()
        self.tracker = netlink.Socket(netlink.NETFILTER)
        self.nft = nftables.Nftables()

    async def do(self, deed: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `deed` in the thread, to its end even if the caller is cancelled meanwhile.

        What the kernel refuses becomes an InternalError.
        """
        try:
            return await asyncio.shield(asyncio.wrap_future(self._thread.submit(deed, *args, **kwargs)))
        except OSError as error:
            raise InternalError(_words(error)) from error

    def later(self, deed: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Runs `deed` after what is under way; a failure is only logged."""
        self._thread.submit(deed, *args, **kwargs).add_done_callback(_complain)

    def bury(self, name: str) -> None:
        """Deletes a link, and comes back once nobody sees it any more. Runs in the thread.

        The kernel takes another 30 ms until it has forgotten it, for which nobody has to wait.
        """
        deletion = self._undertakers.submit(_delete, name)
        while not deletion.done() and netlink.link(self.route, name) is not None:
            time.sleep(_GLANCE)

    def beside(self, deed: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begins `deed`, which has to bring its own sockets, beside what the thread does."""
        return self._undertakers.submit(deed, *args, **kwargs)

    async def close(self) -> None:
        """Ends the thread after what is under way."""
        await self.do(self._close)
        self._thread.shutdown()
        self._undertakers.shutdown()

    def _close(self) -> None:
        for name in ("route", "tracker", "nft"):
            with contextlib.suppress(AttributeError):
                getattr(self, name).close()


def _delete(name: str) -> None:
    with contextlib.closing(netlink.Socket()) as route, contextlib.suppress(netlink.NetlinkError):
        route.send(netlink.delete_link(name))


def _words(error: OSError) -> str:
    if error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return error.strerror or str(error)


def _complain(done: "Future[Any]") -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.error("%s", error, exc_info=error)
