"""Network namespaces, made ahead so that no start waits for one.

They are files in one directory, named after the first digits of a sandbox's
ID, as docker names them.
"""

import logging
import os
from collections.abc import Container
from dataclasses import dataclass

from lading.ids import new_id, short_id
from lading.linux import namespaces, netlink
from lading.network.kernel import Kernel

_log = logging.getLogger(__name__)

SPARES = 6
"""Costs about 30 kB of kernel memory each; a burst of starts drains them faster than they are made."""


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace and a netlink socket inside it."""

    id: str
    path: str
    inside: netlink.Socket


class Sandboxes:
    """The namespaces in one directory."""

    def __init__(self, kernel: Kernel, directory: str) -> None:
        self._kernel = kernel
        self._directory = directory
        self._spares: list[Place] = []
        self._wanted = SPARES

    def refill(self) -> None:
        """Makes spares until there are enough. Runs in the kernel's thread."""
        missing = self._wanted - len(self._spares)
        if missing > 0:
            self._spares.extend(namespaces.in_own_thread(lambda: [self._make() for _ in range(missing)]))

    async def take(self) -> Place:
        """A sandbox with nothing but its loopback. Raises InternalError."""
        try:
            return self._spares.pop()
        except IndexError:
            return await self._kernel.do(lambda: namespaces.in_own_thread(self._make))

    def refill_later(self) -> None:
        """To be called when a start is through."""
        if len(self._spares) <= self._wanted // 2:
            self._kernel.later(self.refill)

    def _make(self) -> Place:
        identifier = new_id()
        path = f"{self._directory}/{short_id(identifier)}"
        return Place(identifier, path, namespaces.create_netns(path, _prepare))

    def discard(self, place: Place) -> None:
        """Removes a sandbox that came to nothing. Runs in the kernel's thread."""
        place.inside.close()
        namespaces.delete_netns(place.path)

    def sweep(self, known: Container[str]) -> list[str]:
        """Removes namespaces that are neither spare nor in `known` paths. Runs in the kernel's thread."""
        kept = {spare.path for spare in self._spares}
        gone = []
        for name in os.listdir(self._directory):
            path = f"{self._directory}/{name}"
            if path not in kept and path not in known:
                namespaces.delete_netns(path)
                gone.append(path)
        return gone

    def close(self) -> None:
        """Removes the spares. Runs in the kernel's thread."""
        self._wanted = 0
        while self._spares:
            self.discard(self._spares.pop())


def open_place(identifier: str, path: str) -> Place:
    """A sandbox that exists, for one who runs in the kernel's thread. Raises OSError."""

    def enter() -> netlink.Socket:
        namespaces.enter_netns(path)
        return netlink.Socket()

    return Place(identifier, path, namespaces.in_own_thread(enter))


def apply_sysctls(path: str, sysctls: dict[str, str]) -> None:
    """Sets the network's kernel parameters in a sandbox. Runs in the kernel's thread. Raises OSError."""

    def apply() -> None:
        namespaces.enter_netns(path)
        for name, value in sysctls.items():
            namespaces.write_sysctl(name, value)

    namespaces.in_own_thread(apply)


def _prepare() -> netlink.Socket:
    inside = netlink.Socket()
    inside.send(netlink.set_link(_LOOPBACK))
    try:
        # Loopback keeps ::1; links made later get no IPv6 addresses, nor any from router advertisements.
        namespaces.write_sysctl("net.ipv6.conf.default.disable_ipv6", "1")
    except FileNotFoundError:
        pass
    return inside


_LOOPBACK = 1
