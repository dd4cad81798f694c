"""Network namespaces, made ahead so that no start waits for one.

They are files in one directory, named after the first digits of a sandbox's
ID, as docker names them.
"""

import os
from collections.abc import Container
from dataclasses import dataclass

from lading.aio.tasks import Background, in_thread
from lading.errors import InternalError, InvalidParameter
from lading.ids import new_id, short_id
from lading.linux import namespaces, netlink

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

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._spares: list[Place] = []
        self._wanted = SPARES
        self._background = Background()
        self._refilling = False

    async def take(self) -> Place:
        """A sandbox with nothing but its loopback. Raises InternalError."""
        try:
            return self._spares.pop()
        except IndexError:
            return (await self._make(1))[0]

    async def refill(self) -> None:
        """Makes spares until there are enough. Raises InternalError."""
        self._spares.extend(await self._make(self._wanted - len(self._spares)))

    def refill_later(self) -> None:
        """To be called when a start is through."""
        if len(self._spares) <= self._wanted // 2 and not self._refilling:
            self._refilling = True
            self._background.spawn(self._refill(), "make network namespaces ahead")

    async def _refill(self) -> None:
        try:
            await self.refill()
        finally:
            self._refilling = False

    async def _make(self, number: int) -> list[Place]:
        def make() -> list[Place]:
            return [self._make_one() for _ in range(number)]

        try:
            return await in_thread(namespaces.in_own_thread, make)
        except OSError as error:
            raise InternalError(f"could not make a network namespace: {error}") from error

    def _make_one(self) -> Place:
        identifier = new_id()
        path = f"{self._directory}/{short_id(identifier)}"
        return Place(identifier, path, namespaces.create_netns(path, _prepare))

    def sweep(self, known: Container[str]) -> int:
        """Removes namespaces that are neither spare nor in `known` paths; returns how many."""
        kept = {spare.path for spare in self._spares}
        paths = [f"{self._directory}/{name}" for name in os.listdir(self._directory)]
        gone = [path for path in paths if path not in kept and path not in known]
        for path in gone:
            namespaces.delete_netns(path)
        return len(gone)

    async def close(self) -> None:
        """Removes the spares."""
        self._wanted = 0
        await self._background.drain()
        while self._spares:
            discard(self._spares.pop())


def discard(place: Place) -> None:
    """Removes a sandbox that came to nothing. Raises OSError."""
    place.inside.close()
    namespaces.delete_netns(place.path)


def open_place(identifier: str, path: str) -> Place:
    """A sandbox that exists, for one who runs in the kernel's thread. Raises OSError."""

    def enter() -> netlink.Socket:
        namespaces.enter_netns(path)
        return netlink.Socket()

    return Place(identifier, path, namespaces.in_own_thread(enter))


def apply_sysctls(path: str, sysctls: dict[str, str]) -> None:
    """Sets a sandbox's kernel parameters. Runs in the kernel's thread. Raises InvalidParameter."""

    def apply() -> None:
        namespaces.enter_netns(path)
        for name, value in sysctls.items():
            try:
                namespaces.write_sysctl(name, value)
            except OSError as error:
                raise InvalidParameter(f"cannot set sysctl {name} to {value!r}: {error.strerror}") from None

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
