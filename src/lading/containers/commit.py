"""Making an image from a container."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from lading.containers.changes import GROUND
from lading.containers.committed import committed
from lading.containers.context import Context
from lading.containers.pause import pause, unpause
from lading.containers.record import Container, Status
from lading.errors import Conflict
from lading.images import Commit
from lading.schema.container import ContainerConfig, as_list


@dataclass(frozen=True, slots=True)
class CommitOptions:
    """The parameters of `POST /commit` (Engine API 1.51, ImageCommit)."""

    repository: str = ""
    tag: str = ""
    author: str = ""
    comment: str = ""
    pause: bool = True
    changes: Sequence[str] = ()
    config: ContainerConfig | None = None


async def commit(ctx: Context, container: Container, options: CommitOptions) -> str:
    """Makes the image and gives its ID; a client that leaves does not stop it half-way.

    Raises LadingError, leaving nothing behind.
    """
    return await ctx.background.finish(_commit(ctx, container, options), "commit")


async def _commit(ctx: Context, container: Container, options: CommitOptions) -> str:
    state, definition = container.state, container.definition
    if state.status is Status.DEAD:
        raise Conflict(f"You cannot commit container {container.id} which is Dead")
    if state.status is Status.REMOVING:
        raise Conflict(f"You cannot commit container {container.id} which is being removed")
    config = committed(definition.config, options.config, options.changes)
    async with _still(ctx, container, options.pause):
        changed = await ctx.snapshots.changes(container.id, GROUND)
        order = Commit(
            parent=definition.image_id,
            config=config,
            write=_writer(ctx, container) if changed else None,
            created_by=" ".join(as_list(definition.config.cmd) or ()),
            author=options.author,
            comment=options.comment,
        )
        image_id, name = await ctx.images.commit(order, options.repository, options.tag)
    ctx.publish(container, "commit", comment=options.comment, imageID=image_id, imageRef=name)
    return image_id


@asynccontextmanager
async def _still(ctx: Context, container: Container, wanted: bool) -> AsyncIterator[None]:
    """Keeps a container that runs from changing its files meanwhile."""
    if not wanted or container.state.status is not Status.RUNNING:
        yield
        return
    with suppress(Conflict):
        await pause(ctx, container, lasting=False)
    try:
        yield
    finally:
        with suppress(Conflict):
            await unpause(ctx, container)


def _writer(ctx: Context, container: Container) -> Callable[[Callable[[bytes], None]], None]:
    pack = ctx.snapshots.packer(container.id, GROUND)

    def write(push: Callable[[bytes], None]) -> None:
        pack(push)
        if container.id not in ctx.registry:
            # Its files may have vanished while they were read.
            raise Conflict(f"You cannot commit container {container.id} which is being removed")

    return write
