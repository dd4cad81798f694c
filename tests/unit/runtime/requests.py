"""A machine and containers on it, for tests of the configuration."""

from typing import Any

from lading.runtime.spec import HostFacts, Namespaces, SpecRequest, User
from lading.runtime.spec.capabilities import ALL
from lading.schema.container import ContainerConfig, HostConfig

FACTS = HostFacts(
    cgroup_version=2,
    cpus=2,
    memory=4 << 30,
    machine="x86_64",
    kernel=(6, 1),
    capabilities=frozenset(ALL),
)


def request(
    host: HostConfig | None = None, config: ContainerConfig | None = None, **more: Any
) -> SpecRequest:
    """A container that runs `true`, with what the test cares about."""
    host = host or HostConfig()
    host.network_mode = host.network_mode or "bridge"
    wishes: dict[str, Any] = {
        "args": ["true"],
        "env": ["PATH=/bin"],
        "rootfs": "/root-of-it",
        "namespaces": Namespaces(),
        "user": User(),
        "cgroup_path": "/lading/c1",
        "facts": FACTS,
        **more,
    }
    return SpecRequest(
        container_id="c1", config=config or ContainerConfig(hostname="box"), host=host, **wishes
    )
