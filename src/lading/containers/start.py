"""Starting a container: each downward call once, each step undone if a later one fails."""

import logging

from lading.containers.context import Context
from lading.containers.record import Container, Status
from lading.errors import Conflict, LadingError, NotModified

_log = logging.getLogger(__name__)


async def start(ctx: Context, container: Container) -> None:
    """Starts at a user's wish.

    Raises NotModified where it runs already, LaunchError where its process
    cannot be started.
    """

    async def work() -> None:
        state = container.state
        if state.status is Status.PAUSED:
            raise Conflict("cannot start a paused container, try unpause instead")
        if state.running:
            raise NotModified("container already started")
        if container.id not in ctx.registry or state.status in (Status.REMOVING, Status.DEAD):
            raise Conflict("container is marked for removal and cannot be started")
        state.restart_count = 0
        await launch(ctx, container)

    await container.worker.do(work)


async def launch(ctx: Context, container: Container) -> None:
    """Runs on the container's worker, which does not run: brings its process to life."""
    state = container.state
    if container.restarting is not None:
        container.restarting.cancel()
        container.restarting = None
    try:
        started, sandbox = await _assemble(ctx, container)
    except BaseException as error:
        state.status = Status.EXITED if state.finished_ns else Status.CREATED
        state.error = error.message if isinstance(error, LadingError) else str(error)
        state.exit_code = getattr(error, "exit_code", 128)
        ctx.store.save_state(container)
        container.announce("next-exit", "not-running")
        raise
    state.status, state.pid, state.started_ns = Status.RUNNING, started.pid, started.started_ns
    state.exit_code, state.error = 0, ""
    state.oom_killed = state.stopped_by_user = False
    state.joined = joined(sandbox)
    ctx.store.save_state(container)
    ctx.publish(container, "start")
