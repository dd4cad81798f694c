"""The one place that makes the rooms and hands them to each other."""

import logging
import socket
from dataclasses import dataclass

from lading.api import Rooms, application
from lading.containers import ContainerFiles, Containers, Context, Defaults, Execs, Measures, Store
from lading.content import Content
from lading.daemon.check import log_config, network_settings, registry_settings
from lading.daemon.facts import engine_id, facts_of
from lading.daemon.init_binary import find_init
from lading.daemon.limits import raise_open_files
from lading.daemon.settings import Settings
from lading.distribution import Registries
from lading.errors import LadingError
from lading.events import Bus
from lading.http import Handler
from lading.images import Images, ImageTransfers, make_context
from lading.logs import Forwarding, LogReader
from lading.network import Networks
from lading.paths import Layout
from lading.runtime import FilterPassing, Runtime, host_facts
from lading.runtime.spec import HostFacts
from lading.snapshots import Limits, OverlaySnapshots
from lading.state import Database
from lading.volumes import Volumes

_log = logging.getLogger(__name__)

_UNLIMITED = 1000
"""Transfers at a time, where 0 says that there be no limit."""


@dataclass(slots=True)
class Engine:
    """The rooms of a running daemon, opened from the bottom up and closed from the top down."""

    database: Database
    events: Bus
    content: Content
    snapshots: OverlaySnapshots
    images: Images
    image_transfers: ImageTransfers
    registries: Registries
    volumes: Volumes
    networks: Networks
    runtime: Runtime
    filters: FilterPassing
    machine: HostFacts
    containers: Containers
    handler: Handler

    async def open(self) -> None:
        """Repairs what an earlier life left and brings every room to work."""
        self.content.open()
        self.snapshots.open()
        self.images.open()
        await self.runtime.start()
        await self.filters.prepare(self.machine)
        await self.networks.open()
        await self.containers.open()
        try:
            await self.images.ensure_starter()
        except LadingError as error:
            _log.warning("there is no starter image: %s", error.message)

    async def reload(self, settings: Settings) -> None:
        """Takes what of the settings may change, and mends what others did to the network."""
        self.registries.reload(registry_settings(settings))
        self.image_transfers.limit(*_at_once(settings))
        await self.networks.reload()
        self.events.publish("daemon", "reload", engine_id(self.database), {"name": socket.gethostname()})

    async def close(self) -> None:
        """Lets go of everything; containers go on."""
        await self.containers.close()
        await self.networks.close()
        await self.runtime.close()
        await self.volumes.close()
        await self.image_transfers.close()
        await self.images.close()
        await self.snapshots.close()
        await self.content.close()
        self.database.close()


def wire(settings: Settings) -> Engine:
    """Makes the rooms; nothing is opened yet. Raises LadingError for settings that cannot be."""
    layout = Layout(settings.data_root, settings.exec_root)
    layout.make()
    database = Database(layout.database)
    events = Bus()
    content = Content(layout.content, database)
    limits = Limits(entries=settings.max_layer_entries, size=settings.max_layer_size)
    snapshots = OverlaySnapshots(layout.snapshots, database, limits)
    image_context = make_context(layout.data_root, database, content, snapshots, events.publish)
    images = Images(image_context)
    registries = Registries(registry_settings(settings))
    image_transfers = ImageTransfers(
        image_context,
        registries,
        *_at_once(settings),
    )
    volumes = Volumes(layout, database, events)
    networks = Networks(network_settings(settings), database, layout.netns, events.publish)
    runtime = Runtime(layout, added=settings.add_runtime, default=settings.default_runtime)
    machine = host_facts()
    init_path = find_init(settings.init_path)
    filters = FilterPassing(runtime, machine.machine, f"{layout.exec_root}/filters")
    context = Context(
        layout=layout,
        store=Store(database),
        images=images,
        snapshots=snapshots,
        networks=networks,
        volumes=volumes,
        runtime=runtime,
        log_reader=LogReader(),
        forwarding=Forwarding(),
        events=events,
        machine=machine,
        filters=filters,
        defaults=_defaults(settings, init_path),
    )
    containers, execs, measures = Containers(context), Execs(context), Measures(context)
    facts = facts_of(settings, database, events, networks, runtime, machine, init_path)
    files = ContainerFiles(context)
    rooms = Rooms(
        containers, execs, files, measures, images, image_transfers, networks, volumes, events, facts
    )
    return Engine(
        database=database,
        events=events,
        content=content,
        snapshots=snapshots,
        images=images,
        image_transfers=image_transfers,
        registries=registries,
        volumes=volumes,
        networks=networks,
        runtime=runtime,
        filters=filters,
        machine=machine,
        containers=containers,
        handler=application(rooms),
    )


def _at_once(settings: Settings) -> tuple[int, int]:
    """How many layers are downloaded and uploaded at a time."""
    return settings.max_concurrent_downloads or _UNLIMITED, settings.max_concurrent_uploads or _UNLIMITED


def _defaults(settings: Settings, init_path: str) -> Defaults:
    return Defaults(
        runtime=settings.default_runtime,
        log=log_config(settings),
        init=settings.init,
        init_path=init_path,
        cgroup_parent=settings.cgroup_parent,
        shm_size=settings.default_shm_size,
        no_new_privileges=settings.no_new_privileges,
        ulimits=(raise_open_files(),),
        seccomp_profile=_profile(settings.seccomp_profile),
        dns=tuple(settings.dns),
        dns_search=tuple(settings.dns_search),
        dns_options=tuple(settings.dns_opt),
        cdi_directories=tuple(settings.cdi_spec_dir),
    )


def _profile(wanted: str) -> str:
    if wanted in ("", "builtin", "unconfined"):
        return wanted or "builtin"
    with open(wanted, encoding="utf-8") as file:
        return file.read()
