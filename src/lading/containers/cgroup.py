"""Which control group is a container's."""

from lading.containers.bundle import cgroup_parent
from lading.containers.context import Context
from lading.containers.record import Container


def cgroup_of(ctx: Context, container: Container) -> str:
    """By its path below the root of every hierarchy."""
    wanted = container.definition.host.cgroup_parent or ctx.defaults.cgroup_parent
    return f"{cgroup_parent(wanted)}/{container.id}"
