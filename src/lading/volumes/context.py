"""What the deeds of this room work with."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from lading.aio.tasks import Background, in_thread
from lading.events import Bus
from lading.volumes.contract import Driver, Drivers
from lading.volumes.directories import Directories, delete
from lading.volumes.record import Volume
from lading.volumes.store import VolumeStore
from lading.volumes.subpaths import Subpaths


@dataclass(frozen=True, slots=True)
class Context:
    """The volumes of one engine: rows, directories, mounted parts; and who hears of them."""

    store: VolumeStore
    directories: Directories
    subpaths: Subpaths
    events: Bus
    recursive_read_only: bool
    drivers: Drivers
    background: Background = field(default_factory=Background)

    def driver(self, volume: Volume) -> Driver:
        """Who keeps what is in a volume. Raises NotFound where the driver is gone."""
        return self.drivers.get(volume.driver)

    def publish(self, action: str, name: str, **attributes: str) -> None:
        """Tells the event bus what happened to a volume."""
        self.events.publish("volume", action, name, attributes)


def lay_by_in(background: Background, directories: Directories) -> Callable[[], None]:
    """Has directories ready for volumes to come, made in the background."""
    under_way: list[asyncio.Task[None]] = []

    def lay_by() -> None:
        if directories.is_short and not (under_way and not under_way[0].done()):
            work = in_thread(directories.lay_by)
            under_way[:] = [background.spawn(work, "make directories for volumes")]

    return lay_by


def delete_in(background: Background) -> Callable[[Collection[str]], None]:
    """Deletes trees in the background: files take their time, and nobody waits for them."""

    def delete_later(paths: Collection[str]) -> None:
        if paths:
            background.spawn(in_thread(delete, paths), "delete volumes")

    return delete_later
