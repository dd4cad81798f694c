"""Starting a container: each downward call once, each step undone if a later one fails."""

import asyncio
import logging
import os
import shutil
from contextlib import AsyncExitStack

from lading.containers import image_mounts, monitor, out_of_memory
from lading.containers.bundle import compose, gather
from lading.containers.context import Context
from lading.containers.discard import discard
from lading.containers.files import tell_parents, write_files
from lading.containers.forwards import begin, log_facts
from lading.containers.network_of import adopt_names, connect_request, join_other, joined_of
from lading.containers.record import Container, Status
from lading.containers.root import mount_root, release_root
from lading.containers.shm import mount_shm, unmount_shm
from lading.errors import Conflict, LadingError, NotModified
from lading.logs import open_sink
from lading.network import Sandbox
from lading.runtime import Launch, LaunchError, Started

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
        if container.id not in ctx.registry:
            raise Conflict("container is marked for removal and cannot be started")
        state.restart_count, state.restart_delay = 0, 0.0
        await launch(ctx, container)

    await container.worker.do(work)


async def start_again(ctx: Context, container: Container) -> None:
    """Starts at the wish of the restart policy; a failure is the container's to show, not ours to raise."""

    async def work() -> None:
        if container.id not in ctx.registry or container.state.running or container.state.stopped_by_user:
            return
        try:
            await launch(ctx, container)
        except LadingError as error:
            _log.warning("container %s could not be started again: %s", container.id, error.message)

    await ctx.swept.wait()
    # Many may be due at once, as when the engine starts.
    async with ctx.starts:
        await container.worker.do(work)


async def launch(ctx: Context, container: Container) -> None:
    """Runs on the container's worker: brings a container that does not run to life."""
    state = container.state
    if container.restarting is not None:
        container.restarting.cancel()
        container.restarting = None
    try:
        started = await _assemble(ctx, container)
    except Exception as error:
        # Also where it is a fault of ours: who waits for the start must not wait for ever.
        problem = _problem(container, error)
        state.status = Status.EXITED if state.finished_ns else Status.CREATED
        state.joined, state.error = None, problem.message
        state.exit_code = problem.exit_code if isinstance(problem, LaunchError) else 128
        ctx.store.save_state(container)
        container.announce("health", "next-exit", "not-running")
        await ctx.runtime.forget(container.id)
        if container.definition.host.auto_remove:
            await discard(ctx, container, volumes=True)
        raise problem from None
    state.status, state.pid, state.started_ns = Status.RUNNING, started.pid, started.started_ns
    state.exit_code, state.error = 0, ""
    state.oom_killed = state.stopped_by_user = False
    out_of_memory.watch(ctx, container)
    monitor.begin(ctx, container)
    ctx.store.save_state(container)
    tell_parents(ctx, container)
    ctx.publish(container, "start")
    container.announce("health")


def _problem(container: Container, error: Exception) -> LadingError:
    if isinstance(error, LadingError):
        return error
    if isinstance(error, OSError):
        return LaunchError(str(error))
    _log.error("container %s could not be started", container.id, exc_info=error)
    return LaunchError("the engine failed at starting the container; its log says more")


async def _assemble(ctx: Context, container: Container) -> Started:
    definition = container.definition
    if container.deletion is not None:
        await asyncio.wait((container.deletion,))
        container.deletion = None
    ctx.runtime.expect()
    adopt_names(ctx, container)
    async with AsyncExitStack() as undo:
        # Its links are made in the network's own thread while we do the rest.
        joining = asyncio.ensure_future(_join_network(ctx, container))
        undo.push_async_callback(_leave_network, ctx, container, joining)
        undo.push_async_callback(release_root, ctx, container)
        root = await mount_root(ctx, container)
        undo.push_async_callback(image_mounts.unmount, ctx, container)
        await image_mounts.mount(ctx, container)
        mounts = await ctx.volumes.mount(container.id, definition.mounts, definition.host.tmpfs or {})
        undo.push_async_callback(ctx.volumes.unmount, container.id, definition.mounts)
        mount_shm(ctx, container)
        undo.callback(unmount_shm, ctx, container.id)
        sink = open_sink(definition.host.log_config, ctx.layout.container(container.id), log_facts(container))
        await begin(ctx, container)
        undo.callback(ctx.forwarding.ended, container.id)
        bundle = f"{ctx.layout.bundles}/{container.id}"
        os.makedirs(bundle, mode=0o700, exist_ok=True)
        undo.callback(shutil.rmtree, bundle, ignore_errors=True)
        request = await gather(ctx, container, root, mounts)
        sandbox = await joining
        if sandbox is not None:
            write_files(ctx, container, sandbox)
        with open(f"{bundle}/config.json", "wb") as file:
            file.write(compose(ctx, container, request))
        config = definition.config
        started = await ctx.runtime.launch(
            Launch(
                key=container.id,
                bundle=bundle,
                sink=sink,
                record_path=f"{ctx.layout.container(container.id)}/exit.json",
                runtime=definition.host.runtime,
                argv0=definition.path,
                tty=config.tty,
                open_stdin=config.open_stdin,
                stdin_once=config.stdin_once,
                console_size=definition.host.console_size,
            )
        )
        undo.pop_all()
        return started


async def _join_network(ctx: Context, container: Container) -> Sandbox | None:
    mode = container.definition.host.network_mode
    if mode.startswith("container:"):
        container.state.joined = join_other(ctx, mode)
        return None
    sandbox = await ctx.networks.connect(connect_request(container))
    container.state.joined = joined_of(sandbox)
    return sandbox


async def _leave_network(ctx: Context, container: Container, joining: asyncio.Future[Sandbox | None]) -> None:
    """Waits for the joining to end, however it does, and undoes it."""
    await asyncio.wait((joining,))
    if not joining.cancelled() and joining.exception() is None:
        await ctx.networks.release(container.id)
