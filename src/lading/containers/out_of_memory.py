"""Telling of containers whose processes were killed for want of memory."""

import logging

from lading.containers.cgroup import cgroup_of
from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import LadingError
from lading.linux import oom

_log = logging.getLogger(__name__)


def watch(ctx: Context, container: Container) -> None:
    """From the start of a container on, or from where an earlier daemon has left it."""
    group = cgroup_of(ctx, container)
    container.victims = oom.victims(group) if container.state.oom_killed else 0

    async def look() -> None:
        if container.state.running and note(ctx, container):
            try:
                ctx.store.save_state(container)
            except LadingError as error:
                _log.warning("a victim in container %s is not noted: %s", container.id, error.message)

    def struck() -> None:
        container.worker.submit(look)

    ctx.oom_watch.add(group, struck)
    if oom.victims(group) > container.victims:
        struck()


def note(ctx: Context, container: Container, *, certain: bool = False) -> bool:
    """Runs on the container's worker: tells of new victims; whether there are, and its state is to be saved.

    `certain`: the keeper has seen one.
    """
    count = oom.victims(cgroup_of(ctx, container))
    if count <= container.victims and not (certain and not container.state.oom_killed):
        return False
    container.victims = count
    container.state.oom_killed = True
    ctx.publish(container, "oom")
    return True


def end_watch(ctx: Context, container: Container) -> None:
    """The container has ended."""
    ctx.oom_watch.remove(cgroup_of(ctx, container))
