"""What the routes call."""

from collections.abc import Callable
from dataclasses import dataclass

from lading.containers import ContainerFiles, Containers, Execs, Measures
from lading.events import Bus
from lading.images import Images, ImageTransfers
from lading.network import Networks
from lading.schema.system import Facts
from lading.volumes import Volumes


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms below, as the daemon's wiring made them."""

    containers: Containers
    execs: Execs
    container_files: ContainerFiles
    measures: Measures
    images: Images
    image_transfers: ImageTransfers
    networks: Networks
    volumes: Volumes
    events: Bus
    facts: Callable[[], Facts]
