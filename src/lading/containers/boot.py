"""Starting containers with the engine: side by side, but each after those it is to follow."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from lading.containers.context import Context
from lading.containers.health import Verdict
from lading.containers.record import Container, Status
from lading.containers.start_order import Wish, order, unknown_when, wish_of

_log = logging.getLogger(__name__)

StartAgain = Callable[[Container], Coroutine[Any, Any, None]]


def start_with_engine(ctx: Context, containers: Sequence[Container], start_again: StartAgain) -> None:
    """Begins to start `containers`, in the background. A user's own start does not wait for it."""
    wishes = {container.name: _wish(ctx, container) for container in containers}
    running = {container.name for container in ctx.registry if container.state.running}
    restarting = {container.name for container in ctx.registry if container.restarting is not None}
    follows, problems = order(wishes, wishes.keys() | running | restarting)
    for problem in problems:
        _log.warning("%s", problem)
    attempts = {name: asyncio.Event() for name in wishes}
    for container in containers:
        others = [ctx.registry.names[name] for name in follows.get(container.name, ())]
        healthy = wishes[container.name].healthy
        container.restarting = ctx.background.spawn(
            _start(container, attempts, others, healthy, start_again), "start with the engine"
        )


def _wish(ctx: Context, container: Container) -> Wish:
    labels = container.definition.config.labels or {}
    if (value := unknown_when(labels)) is not None:
        _log.warning("container %s: lading.start.when=%s means nothing", container.name, value)
    wish = wish_of(labels)
    return Wish((*wish.after, *_joined(ctx, container)), wish.healthy)


def _joined(ctx: Context, container: Container) -> list[str]:
    """Containers it is linked to or joins the namespaces of: without them it cannot start."""
    definition = container.definition
    host = definition.host
    modes = (host.network_mode, host.ipc_mode, host.pid_mode)
    references = [mode.partition(":")[2] for mode in modes if mode.startswith("container:")]
    references += [link.container for link in definition.links]
    others = [ctx.registry.get(reference) or ctx.registry.names.get(reference) for reference in references]
    return list(dict.fromkeys(other.name for other in others if other is not None))


async def _start(
    container: Container,
    attempts: dict[str, asyncio.Event],
    others: Sequence[Container],
    healthy: bool,
    start_again: StartAgain,
) -> None:
    attempt = attempts[container.name]
    try:
        for other in others:
            if other.name in attempts:
                await attempts[other.name].wait()
            await _settled(other, healthy)
            if healthy:
                _warn(container, other)
        container.restarting = None
        await start_again(container)
    finally:
        # Also where a user has stopped it meanwhile.
        attempt.set()


async def _settled(other: Container, healthy: bool) -> None:
    """Waits until `other` has started, or is healthy, or until neither is going to be."""
    while other.state.status is Status.RESTARTING or (healthy and _may_become_healthy(other)):
        await other.when("health")


def _may_become_healthy(other: Container) -> bool:
    state = other.state
    return state.running and state.health is not None and state.health.status is Verdict.STARTING


def _warn(container: Container, other: Container) -> None:
    """Says so where a container is not what another one was to wait for."""
    health = other.state.health
    if health is None:
        _log.warning("container %s has no health check for %s to wait for", other.name, container.name)
    elif health.status is not Verdict.HEALTHY:
        _log.warning("container %s is not healthy; %s is started nevertheless", other.name, container.name)
