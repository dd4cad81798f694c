"""The front door to containers; every method only passes on to a deed's own file."""

import socket
from collections.abc import AsyncIterator
from typing import Any

from lading.containers import forwards, image_mounts, memberships, monitor, reconcile, waits
from lading.containers.attach import AttachOptions, attach
from lading.containers.context import Context
from lading.containers.create import create
from lading.containers.exits import container_ended, exec_ended
from lading.containers.inspect import inspect
from lading.containers.list import counts, list_containers
from lading.containers.logs import LogOptions, read_logs
from lading.containers.pause import pause, unpause
from lading.containers.prune import prune
from lading.containers.record import Container
from lading.containers.remove import remove, unlink
from lading.containers.rename import rename
from lading.containers.resize import resize
from lading.containers.start import start, start_again
from lading.containers.stop import kill, restart, stop
from lading.containers.update import update
from lading.filters import Filters
from lading.images import ImageUser
from lading.runtime import Detached, Exit
from lading.schema.container import CreateBody, EndpointSettings, UpdateBody


class Containers:
    """Every wish a user can have of a container."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._closing = False

    async def open(self) -> None:
        """Reconciles with what is running; to be called before any other method."""
        reconcile.load(self._ctx)
        forwards.take_up(self._ctx)
        # Before looking at what runs: what ends from here on is heard.
        self._ctx.runtime.on_news(self._hear)
        await waits.take_over(self._ctx)
        await reconcile.reconcile(self._ctx, self._settle, self._start_again)
        forwards.agree(self._ctx)

    async def close(self) -> None:
        """Lets work under way finish; containers go on."""
        self._closing = True
        monitor.leave(self._ctx)
        await self._ctx.background.cancel()
        await self._ctx.forwarding.close()

    def find(self, reference: str) -> Container:
        """By identifier, name or unambiguous prefix. Raises NotFound."""
        return self._ctx.registry.find(reference)

    async def summaries(
        self, filters: Filters, *, show_all: bool = False, limit: int = 0, size: bool = False
    ) -> list[dict[str, Any]]:
        """Summaries, newest first. Raises InvalidParameter for bad filters."""
        return await list_containers(self._ctx, filters, show_all=show_all, limit=limit, size=size)

    def counts(self) -> dict[str, int]:
        """How many run, are paused, and do neither."""
        return counts(self._ctx)

    def image_users(self) -> list[ImageUser]:
        """Which container was made from which image, or has it mounted."""
        return [
            ImageUser(container.id, image_id, container.state.running)
            for container in self._ctx.registry
            for image_id in (container.definition.image_id, *image_mounts.used(container))
        ]

    async def inspect(self, reference: str, *, size: bool = False) -> dict[str, Any]:
        return await inspect(self._ctx, self.find(reference), size=size)

    async def create(
        self, name: str | None, body: CreateBody, platform: str = ""
    ) -> tuple[Container, list[str]]:
        """Raises InvalidParameter, NotFound or Conflict."""
        return await create(self._ctx, name, body, platform)

    async def start(self, reference: str) -> None:
        await start(self._ctx, self.find(reference))

    async def stop(self, reference: str, stop_signal: str, timeout: int | None) -> None:
        await stop(self._ctx, self.find(reference), stop_signal, timeout)

    async def restart(self, reference: str, stop_signal: str, timeout: int | None) -> None:
        await restart(self._ctx, self.find(reference), stop_signal, timeout)

    async def kill(self, reference: str, signal_name: str) -> None:
        await kill(self._ctx, self.find(reference), signal_name)

    async def update(self, reference: str, body: UpdateBody) -> list[str]:
        """Changes limits and restart policy; returns warnings. Raises InvalidParameter, Conflict."""
        return await update(self._ctx, self.find(reference), body)

    async def pause(self, reference: str) -> None:
        await pause(self._ctx, self.find(reference))

    async def unpause(self, reference: str) -> None:
        await unpause(self._ctx, self.find(reference))

    async def remove(self, reference: str, *, force: bool, volumes: bool, link: bool = False) -> None:
        """With `link`, only the link that `reference` ("parent/alias") names."""
        if link:
            await unlink(self._ctx, reference)
        else:
            await remove(self._ctx, self.find(reference), force=force, volumes=volumes)

    async def prune(self, filters: Filters) -> dict[str, Any]:
        """Removes what does not run; says what that was. Raises InvalidParameter, Conflict."""
        return await prune(self._ctx, filters)

    async def rename(self, reference: str, name: str) -> None:
        await rename(self._ctx, self.find(reference), name)

    async def connect(self, reference: str, network: str, asked: EndpointSettings | None) -> None:
        """Puts a container on a network. Raises LadingError with docker's words."""
        await memberships.connect(self._ctx, self.find(reference), network, asked)

    async def disconnect(self, reference: str, network: str, *, force: bool) -> None:
        """Takes a container off a network. Raises LadingError with docker's words."""
        await memberships.disconnect(self._ctx, self.find(reference), network, force=force)

    async def resize(self, reference: str, height: int, width: int) -> None:
        """Sets the size of a container's terminal, in characters."""
        await resize(self._ctx, self.find(reference), height, width)

    async def attach(
        self, reference: str, client: "tuple[socket.socket, bytes]", options: AttachOptions
    ) -> None:
        await attach(self._ctx, self.find(reference), client, options)

    def logs(self, reference: str, options: LogOptions) -> AsyncIterator[bytes]:
        return read_logs(self._ctx, self.find(reference), options)

    async def wait(self, reference: str, condition: str, client: socket.socket) -> None:
        """Answers `client` once the condition holds."""
        await waits.answer(self._ctx, self.find(reference), condition, client)

    def _hear(self, news: Exit | Detached) -> None:
        if self._closing:
            # The keeper remembers it for the next daemon.
            return
        if isinstance(news, Detached):
            container = self._ctx.registry.get(news.container_id)
            if container is not None:
                if news.exec_id:
                    self._ctx.publish(container, "exec_detach", execID=news.exec_id)
                else:
                    self._ctx.publish(container, "detach")
            return
        if news.exec_id is not None:
            self._ctx.probing.ended(news)
            exec_ended(self._ctx, news)
        self._ctx.background.spawn(self._settle(news), "exit")

    async def _settle(self, news: Exit) -> None:
        if news.exec_id is not None:
            exec_ended(self._ctx, news)
            await self._ctx.runtime.forget(news.key)
            return
        container = self._ctx.registry.get(news.container_id)
        if container is None:
            await self._ctx.runtime.forget(news.key)
            return
        ended = container
        await container.worker.do(lambda: container_ended(self._ctx, ended, news, self._start_again))

    async def _start_again(self, container: Container) -> None:
        await start_again(self._ctx, container)
