"""What the deeds of this room work with; made once, in the daemon's wiring."""

import asyncio
import os
from dataclasses import dataclass, field

from lading.aio.tasks import Background
from lading.containers.exec_record import ExecRecord
from lading.containers.oom_watch import OomWatch
from lading.containers.probing import Probing
from lading.containers.record import Container
from lading.containers.registry import Registry
from lading.containers.store import Store
from lading.events import Bus
from lading.images import Images
from lading.logs import Forwarding, LogReader
from lading.network import Networks
from lading.paths import Layout
from lading.runtime import SPEC_DIRECTORIES, FilterPassing, Runtime
from lading.runtime.spec import HostFacts
from lading.schema.container import LogConfig, Ulimit
from lading.snapshots import Snapshots
from lading.volumes import Volumes


def _some_at_once() -> asyncio.Semaphore:
    # A start mostly waits for the kernel and the OCI runtime, but not only.
    return asyncio.Semaphore(2 * (os.cpu_count() or 1) + 2)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the daemon's settings say of containers that do not say it themselves."""

    runtime: str
    log: LogConfig
    init: bool = False
    init_path: str = ""
    cgroup_parent: str = ""
    shm_size: int = 64 * 1024 * 1024
    no_new_privileges: bool = False
    seccomp_profile: str = "builtin"
    """"builtin", "unconfined", or a profile's JSON text."""
    ulimits: tuple[Ulimit, ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    cdi_directories: tuple[str, ...] = SPEC_DIRECTORIES


@dataclass(slots=True)
class Context:
    """The rooms below, the containers known, and the daemon's defaults."""

    layout: Layout
    store: Store
    images: Images
    snapshots: Snapshots
    networks: Networks
    volumes: Volumes
    runtime: Runtime
    log_reader: LogReader
    forwarding: Forwarding
    events: Bus
    machine: HostFacts
    filters: FilterPassing
    defaults: Defaults
    registry: Registry = field(default_factory=Registry)
    execs: dict[str, ExecRecord] = field(default_factory=dict)
    starts: asyncio.Semaphore = field(default_factory=_some_at_once)
    """Passed by each start that no user waits for."""
    swept: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once nothing lies about any more; what is started before would be swept away with it."""
    oom_watch: OomWatch = field(default_factory=OomWatch)
    probing: Probing = field(default_factory=Probing)
    background: Background = field(default_factory=Background)
    pruning: bool = False

    def publish(self, container: Container, action: str, **attributes: str) -> None:
        """Tells the event bus what happened to a container."""
        config = container.definition.config
        self.events.publish(
            "container",
            action,
            container.id,
            {**(config.labels or {}), "image": config.image, "name": container.name, **attributes},
        )
