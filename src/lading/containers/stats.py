"""Measuring containers for those who watch: each second once, however many watch the same one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, NamedTuple

from lading.aio.tasks import in_thread
from lading.containers import usage
from lading.containers.cgroup import cgroup_of
from lading.containers.context import Context
from lading.containers.record import Container
from lading.linux import usage as kernel
from lading.units import now_ns, rfc3339

PERIOD = 1.0
"""Seconds from one measurement to the next."""

_NEVER = rfc3339(0)

Json = dict[str, Any]


class _Target(NamedTuple):
    """What to read for a container; without a process to ask, nothing about networks."""

    group: str
    network_pid: int


class _Watched:
    """A container that is watched: its last sample, and a slot for each watcher.

    A slot holds one sample; a watcher that is slow misses some.
    """

    def __init__(self, container: Container) -> None:
        self.container = container
        self.last: Json | None = None
        self.slots: list[asyncio.Queue[Json | None]] = []

    def tell(self, sample: Json | None) -> None:
        for slot in self.slots:
            if slot.full():
                slot.get_nowait()
            slot.put_nowait(sample)


class Sampler:
    """One task for all containers that somebody watches; none while nobody does."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._watched: dict[str, _Watched] = {}
        self._task: asyncio.Task[Any] | None = None

    async def watch(self, container: Container) -> AsyncGenerator[Json, None]:
        """A sample at once and one each second, until the container is removed or the iterator closed."""
        watched = self._watched.setdefault(container.id, _Watched(container))
        slot: asyncio.Queue[Json | None] = asyncio.Queue(1)
        watched.slots.append(slot)
        try:
            if watched.last is None:
                await self._measure([watched])
            else:
                slot.put_nowait(watched.last)
            if self._task is None:
                self._task = self._ctx.background.spawn(self._run(), "measure containers")
            while (sample := await slot.get()) is not None:
                yield sample
        finally:
            watched.slots.remove(slot)
            if not watched.slots:
                self._watched.pop(container.id, None)

    async def once(self, container: Container) -> Json:
        """One sample on its own, with nothing before it."""
        (sample,) = await self._samples([_Watched(container)])
        return sample

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while self._watched:
                # Not later and later by what each round takes.
                due = max(due + PERIOD, loop.time())
                await asyncio.sleep(due - loop.time())
                await self._measure(list(self._watched.values()))
        finally:
            self._task = None
            # None are left, unless this ends by a fault or with the daemon.
            for watched in self._watched.values():
                watched.tell(None)

    async def _measure(self, all_watched: list[_Watched]) -> None:
        for watched, sample in zip(all_watched, await self._samples(all_watched), strict=True):
            watched.last = sample
            gone = watched.container.id not in self._ctx.registry
            watched.tell(None if gone else sample)

    async def _samples(self, all_watched: list[_Watched]) -> list[Json]:
        targets = [self._target(watched.container) for watched in all_watched]
        machine, texts = await in_thread(_read, targets, self._ctx.machine.cgroup_version)
        processors = usage.processors(machine)
        return [
            self._sample(watched, read, processors) for watched, read in zip(all_watched, texts, strict=True)
        ]

    def _target(self, container: Container) -> _Target | None:
        if not container.state.running:
            return None
        host = container.definition.host.network_mode == "host"
        return _Target(cgroup_of(self._ctx, container), 0 if host else container.state.pid)

    def _sample(
        self, watched: _Watched, read: tuple[dict[str, str], str] | None, machine: usage.Processors
    ) -> Json:
        if read is None:
            return empty(watched.container)
        texts, network = read
        version, memory = self._ctx.machine.cgroup_version, self._ctx.machine.memory
        sample = _frame(watched.container, rfc3339(now_ns()))
        sample |= usage.measured(texts, version, memory, machine)
        if networks := usage.interfaces(network):
            sample["networks"] = networks
        if watched.last is not None:
            sample["preread"], sample["precpu_stats"] = watched.last["read"], watched.last["cpu_stats"]
        return sample


def _read(targets: list[_Target | None], version: int) -> tuple[str, list[tuple[dict[str, str], str] | None]]:
    """In a thread: reads files and nothing else."""
    found = [
        None
        if target is None
        else (
            kernel.of_group(target.group, version),
            kernel.of_network(target.network_pid) if target.network_pid else "",
        )
        for target in targets
    ]
    return kernel.of_machine(), found


def _frame(container: Container, read: str) -> Json:
    return {
        "name": f"/{container.name}",
        "id": container.id,
        "read": read,
        **usage.nothing(),
        "num_procs": 0,
        "storage_stats": {},
        "preread": _NEVER,
        "precpu_stats": usage.nothing()["cpu_stats"],
    }


def empty(container: Container) -> Json:
    """What is said of a container that does not run."""
    return _frame(container, _NEVER)


async def stats(
    sampler: Sampler, container: Container, *, stream: bool, one_shot: bool
) -> AsyncIterator[Json]:
    """Samples without end, or a single one: with `one_shot` at once and without a sample before it."""
    if not stream and not container.state.running:
        yield empty(container)
    elif one_shot:
        yield await sampler.once(container)
    else:
        async with aclosing(sampler.watch(container)) as samples:
            first = True
            async for sample in samples:
                # One that stands alone tells how busy the container is, for which it takes two.
                if stream or not first:
                    yield sample
                if not stream and not first:
                    return
                first = False
