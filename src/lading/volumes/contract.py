"""What a volume driver can do; plugins will be drivers too.

The engine keeps who uses a volume, and its labels. A driver keeps what is in
it. The engine's word counts: a driver is told of each user by a key of its
own, and may be told the same thing twice.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from lading.errors import NotFound


class Driver(Protocol):
    """One kind of volumes. Names have been checked; options are the driver's own business."""

    @property
    def name(self) -> str:
        """What `docker volume create --driver` calls it."""
        ...

    @property
    def scope(self) -> str:
        """Where a volume can be reached: "local", or "global" for all machines of a cluster."""
        ...

    def check(self, options: Mapping[str, str]) -> None:
        """Refuses options that cannot work. Raises InvalidParameter."""
        ...

    def create(self, name: str, options: Mapping[str, str]) -> None:
        """Makes an empty volume; what was left of an earlier one is gone. Raises InternalError."""
        ...

    def remove(self, name: str) -> None:
        """Gives up a volume that nobody uses and that the engine has forgotten; may be repeated."""
        ...

    def path(self, name: str) -> str:
        """Where a mounted volume is found: the API's `Mountpoint`. Changes nothing."""
        ...

    def is_ready(self, options: Mapping[str, str]) -> bool:
        """Whether such a volume is at its path without being mounted, so that nobody need wait."""
        ...

    def mount(self, name: str, options: Mapping[str, str], user: str) -> None:
        """Brings a volume to its path, for one more user, or raises InternalError. Blocks."""
        ...

    def unmount(self, name: str, user: str) -> None:
        """A user is done; after the last one the volume leaves its path. May be repeated. Blocks."""
        ...

    def sweep(self, volumes: Collection[str], users: Collection[str]) -> None:
        """At start: gives up all other volumes, and takes away from all other users. Raises OSError."""
        ...


class Drivers:
    """The drivers known, by name."""

    def __init__(self, *drivers: Driver) -> None:
        self._drivers = {driver.name: driver for driver in drivers}

    def find(self, name: str) -> Driver | None:
        """None for one that is not there, or not any more."""
        return self._drivers.get(name)

    def get(self, name: str) -> Driver:
        """Raises NotFound, in dockerd's words."""
        driver = self._drivers.get(name)
        if driver is None:
            raise NotFound(f'error looking up volume plugin {name}: plugin "{name}" not found')
        return driver

    def all(self) -> list[Driver]:
        """By name."""
        return [self._drivers[name] for name in sorted(self._drivers)]
