"""The API over stand-ins for the rooms below, served on a socket for real clients."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from docker import DockerClient
from tests.engine.engine import docker_cli
from tests.http.serving import Service

from lading.api import Rooms, application
from lading.events import Bus, Subscription
from lading.schema.system import Facts, RuntimeFact

FACTS = Facts(
    engine_id="5f0c",
    engine_version="9.8.7",
    python_version="3.11.2",
    name="harbour",
    kernel_version="6.1.0",
    operating_system="Debian GNU/Linux 12 (bookworm)",
    os_version="12",
    architecture="amd64",
    machine="x86_64",
    cpus=4,
    memory=8 * 1024**3,
    data_root="/srv/lading",
    cgroup_driver="cgroupfs",
    cgroup_version=2,
    cgroup_controllers=frozenset({"cpu", "cpuset", "memory", "pids", "io"}),
    security_options=["name=seccomp,profile=builtin", "name=cgroupns"],
    runtimes={
        "crun": RuntimeFact("/usr/bin/crun", [], "1.14"),
        "traced": RuntimeFact("/usr/bin/crun", ["--debug"]),
    },
    default_runtime="crun",
    init_binary="tini",
    log_driver="json-file",
    log_drivers=["json-file", "local", "none"],
    network_drivers=["bridge", "host", "null"],
    labels=["site=quay"],
    debug=False,
    file_descriptors=10,
    tasks=3,
    listeners=0,
    time_ns=1_700_000_000_000_000_000,
    ip_forwarding=True,
    warnings=["something is odd here"],
)


class CountedBus(Bus):
    """A bus that knows how many are listening."""

    listening = 0

    def subscribe(self) -> Subscription:
        subscription = super().subscribe()
        self.listening += 1
        leave = subscription._leave

        def left(leaving: Subscription) -> None:
            leave(leaving)
            self.listening -= 1

        subscription._leave = left
        return subscription


@pytest.fixture(scope="module")
def bus() -> CountedBus:
    """What `GET /events` listens to."""
    return CountedBus()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, bus: Bus) -> Iterator[Service]:
    """The API on a UNIX socket."""
    rooms = Rooms(
        **dict.fromkeys(Rooms.__dataclass_fields__, SimpleNamespace())
        | {
            "containers": SimpleNamespace(counts=lambda: {"running": 2, "paused": 1, "stopped": 4}),
            "images": SimpleNamespace(count=lambda: 6),
            "volumes": SimpleNamespace(snapshots=SimpleNamespace),
            "events": bus,
            "facts": lambda: FACTS,
        }  # type: ignore[arg-type]
    )
    directory = tmp_path_factory.mktemp("api")
    service = Service("unix", directory, directory).start(application(rooms))
    yield service
    service.stop()


Docker = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def docker(service: Service, tmp_path: Path) -> Docker:
    """Runs the real docker CLI against the API."""

    def run(*arguments: str, version: str = "") -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
        if version:
            environment["DOCKER_API_VERSION"] = version
        return subprocess.run(
            [docker_cli(), "-H", f"unix://{service.path}", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def client(service: Service) -> Iterator[DockerClient]:
    """docker-py pointed at the API."""
    client = cast("DockerClient", DockerClient(base_url=f"unix://{service.path}", version="auto", timeout=30))
    yield client
    client.close()
