"""What the deeds of this room work with."""

from collections.abc import Collection
from dataclasses import dataclass, field

from lading.aio.tasks import Background, in_thread
from lading.events import Bus
from lading.volumes.directories import Directories, delete
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
    background: Background = field(default_factory=Background)

    def publish(self, action: str, name: str, **attributes: str) -> None:
        """Tells the event bus what happened to a volume."""
        self.events.publish("volume", action, name, attributes)

    def delete_later(self, paths: Collection[str]) -> None:
        """Files take their time, and nobody waits for them."""
        if paths:
            self.background.spawn(in_thread(delete, paths), "delete volumes")
