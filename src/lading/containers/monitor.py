"""Checking the health of running containers, time and again."""

import asyncio
import logging

from lading.containers import health
from lading.containers.context import Context
from lading.containers.health import Check, Result
from lading.containers.probes import probe
from lading.containers.record import Container, Status
from lading.errors import LadingError
from lading.units import NANOSECOND, now_ns

_log = logging.getLogger(__name__)


class Monitor:
    """The checks of one container, from its start or unpausing to its end or pause.

    Costs a timer between two checks and a task during one.
    """

    def __init__(self, ctx: Context, container: Container, check: Check) -> None:
        self._ctx = ctx
        self._container = container
        self._check = check
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def wait(self, nanoseconds: int) -> None:
        """Checks once they have passed."""
        self._timer = asyncio.get_running_loop().call_later(nanoseconds / NANOSECOND, self._due)

    def stop(self) -> None:
        """Checks no more; the result of a check under way will not count."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _due(self) -> None:
        self._task = self._ctx.background.spawn(self._look(), "health check")

    async def _look(self) -> None:
        result = await probe(self._ctx, self._container, self._check)
        # From here on it is not cancelled, for it may be its own turn on the worker that does so.
        self._task = None
        if result is None:
            self.wait(self._check.interval)
            return
        await self._container.worker.do(lambda: self._note(result))

    async def _note(self, result: Result) -> None:
        state, before = self._container.state, self._container.state.health
        if self._stopped or before is None:
            return
        state.health = health.after(self._check, before, result, state.started_ns)
        self.wait(health.pause_before_next(self._check, state.health, state.started_ns, now_ns()))
        if state.health.status is not before.status:
            self._ctx.publish(self._container, f"health_status: {state.health.status}")
            self._container.announce("health")
        try:
            self._ctx.store.save_state(self._container)
        except LadingError as error:
            # A full disk. It will be noted together with a later one.
            _log.warning("the health of container %s is not noted: %s", self._container.id, error.message)


def begin(ctx: Context, container: Container) -> None:
    """A container has started: its health is open again. The caller saves its state."""
    _stop(container)
    check = health.check_of(container.definition.config)
    if check is None:
        return
    state = container.state
    state.health = health.at_start(state.health)
    _watch(ctx, container, check, health.pause_before_next(check, state.health, 0, 0))


def go_on(ctx: Context, container: Container) -> None:
    """Checks a container again that was paused."""
    _stop(container)
    check, state = health.check_of(container.definition.config), container.state
    if check is not None and state.health is not None:
        _watch(
            ctx, container, check, health.pause_before_next(check, state.health, state.started_ns, now_ns())
        )


def take_up(ctx: Context, container: Container) -> None:
    """Goes on where an earlier daemon left a container; saves its state where that is new."""
    check, state = health.check_of(container.definition.config), container.state
    if check is None or state.status is not Status.RUNNING:
        return
    if state.health is None:
        # That daemon died before it could note the start.
        state.health = health.at_start(None)
        ctx.store.save_state(container)
    _watch(ctx, container, check, health.left_of_pause(check, state.health, state.started_ns, now_ns()))


def cease(container: Container) -> None:
    """A container has ended or is paused: it is not checked. The caller saves its state."""
    _stop(container)
    if container.state.health is not None:
        container.state.health = health.at_end(container.state.health)
    container.announce("health")


def leave(ctx: Context) -> None:
    """Stops all checks and leaves what they have shown as it is, for the next daemon."""
    for container in ctx.registry:
        _stop(container)


def _watch(ctx: Context, container: Container, check: Check, pause: int) -> None:
    monitor = container.monitor = Monitor(ctx, container, check)
    monitor.wait(pause)


def _stop(container: Container) -> None:
    if container.monitor is not None:
        container.monitor.stop()
        container.monitor = None
