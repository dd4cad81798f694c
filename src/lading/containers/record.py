"""A container: what defines it, what state it is in, who waits for it."""

import asyncio
import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct, field

from lading.containers.health import Health
from lading.containers.workers import Worker
from lading.ids import short_id
from lading.schema.container import ContainerConfig, EndpointSettings, HostConfig
from lading.volumes import MountPoint


class Status(StrEnum):
    """Docker's container states (Engine API 1.51, ContainerState.Status)."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class Link(Struct, kw_only=True):
    """Another container, by ID, and what it is called here."""

    container: str
    alias: str


class Definition(Struct, kw_only=True):
    """What a container is; fixed when it is created, but for what an update changes in `host`."""

    id: str
    created_ns: int
    image_id: str
    chain_id: str | None
    path: str
    args: list[str]
    config: ContainerConfig
    host: HostConfig
    networks: dict[str, EndpointSettings] = field(default_factory=dict)
    mounts: list[MountPoint] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


class Joined(Struct, kw_only=True):
    """The network a running container is on."""

    sandbox_id: str = ""
    netns_path: str = ""
    networks: dict[str, EndpointSettings] = field(default_factory=dict)
    ports: dict[str, list[dict[str, str]] | None] = field(default_factory=dict)


class State(Struct, kw_only=True):
    """Where a container is in its life. Times are nanoseconds since 1970, 0 for never."""

    status: Status = Status.CREATED
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_ns: int = 0
    finished_ns: int = 0
    restart_count: int = 0
    restart_delay: float = 0.0
    """Seconds of the last pause before it was started again."""
    stopped_by_user: bool = False
    joined: Joined | None = None
    health: Health | None = None
    """Of a container with a health check, once it was started."""

    @property
    def running(self) -> bool:
        return self.status in (Status.RUNNING, Status.PAUSED)


class Ended(Struct, frozen=True):
    """What a waiting client learns."""

    exit_code: int
    error: str = ""


class Monitor(Protocol):
    """What checks a container's health."""

    def stop(self) -> None:
        """Checks no more."""


@dataclass(slots=True)
class RootUse:
    """Who uses the root a container is mounted at; see `root.py`."""

    lock: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    process: bool = False
    visitors: int = 0


class Container:
    """One container in memory. Its worker is the only one to change its state."""

    __slots__ = (
        "_waiters",
        "clearing",
        "definition",
        "deletion",
        "kept",
        "monitor",
        "name",
        "restarting",
        "root",
        "state",
        "victims",
        "worker",
    )

    def __init__(self, name: str, definition: Definition, state: State) -> None:
        self.name = name
        self.definition = definition
        self.state = state
        self.worker = Worker(f"container {short_id(definition.id)}")
        self.kept = 0
        """How many restarts by users are under way; its end is not its removal then."""
        self.monitor: Monitor | None = None
        self.victims = 0
        """How many processes the OOM killer took in this life, as far as that was told."""
        self.restarting: asyncio.Task[Any] | None = None
        """What is going to start it by itself: after a pause, or after others."""
        self.deletion: asyncio.Task[Any] | None = None
        self.clearing: asyncio.Task[Any] | None = None
        self.root = RootUse()
        self._waiters: list[tuple[str, asyncio.Future[Ended]]] = []

    @property
    def id(self) -> str:
        return self.definition.id

    def when(self, condition: str) -> "asyncio.Future[Ended]":
        """A future for `not-running`, `next-exit` or `removed` (Engine API, ContainerWait).

        And for `health`: the next change of its health, or of whether it runs.
        """
        future: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        if condition == "not-running" and not self.state.running and self.state.status != Status.RESTARTING:
            future.set_result(Ended(self.state.exit_code, self.state.error))
        else:
            self._waiters.append((condition, future))
            future.add_done_callback(self._forget)
        return future

    def announce(self, *conditions: str) -> None:
        """Answers those who wait for one of `conditions`."""
        ended = Ended(self.state.exit_code)
        for condition, future in list(self._waiters):
            if condition in conditions and not future.done():
                future.set_result(ended)

    def _forget(self, future: "asyncio.Future[Ended]") -> None:
        self._waiters = [waiter for waiter in self._waiters if waiter[1] is not future]
