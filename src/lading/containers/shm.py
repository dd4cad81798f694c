"""/dev/shm of containers that others may join: mounted on the host, and from there into each of them."""

import os
from collections.abc import Collection

from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import InternalError, NotFound
from lading.linux import mounts

_FLAGS = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC


def mount_shm(ctx: Context, container: Container) -> None:
    """For a container that lets others join. Raises OSError."""
    host = container.definition.host
    if host.ipc_mode != "shareable" or any(
        mount.destination == "/dev/shm" for mount in container.definition.mounts
    ):
        return
    path = _path(ctx, container.id)
    os.makedirs(path, mode=0o700, exist_ok=True)
    mounts.unmount_if_mounted(path)
    mounts.tmpfs(path, size=host.shm_size, mode=0o1777, flags=_FLAGS)


def unmount_shm(ctx: Context, container_id: str) -> None:
    """May be repeated; those who joined keep it. Raises OSError."""
    path = _path(ctx, container_id)
    if os.path.isdir(path):
        mounts.unmount_if_mounted(path)
        os.rmdir(path)


def sweep_shm(ctx: Context, live: Collection[str]) -> None:
    """Unmounts what belongs to no running container. Raises OSError."""
    directory = ctx.layout.shm
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if name not in live:
            unmount_shm(ctx, name)


def shm_of(ctx: Context, container: Container) -> str:
    """Where the container's /dev/shm is on the host; "" where nobody else is to have it."""
    mode = container.definition.host.ipc_mode
    if mode == "host":
        return "/dev/shm"
    if mode.startswith("container:"):
        return shm_of(ctx, ipc_giver(ctx, mode))
    path = _path(ctx, container.id)
    return path if mode == "shareable" and os.path.isdir(path) else ""


def ipc_giver(ctx: Context, mode: str) -> Container:
    """The container that "container:NAME" means. Raises InternalError, in docker's words."""
    giver = running_giver(ctx, mode, "IPC")
    if not shm_of(ctx, giver):
        name = mode.partition(":")[2]
        raise InternalError(
            f"failed to join IPC namespace: container {name}: non-shareable IPC "
            "(hint: use IpcMode:shareable for the donor container)"
        )
    return giver


def running_giver(ctx: Context, mode: str, kind: str) -> Container:
    """The container whose namespace is to be joined. Raises NotFound or InternalError."""
    name = mode.partition(":")[2]
    try:
        giver = ctx.registry.find(name)
    except NotFound as error:
        raise NotFound(f"failed to join {kind} namespace: {error.message}") from None
    if not giver.state.running:
        raise InternalError(f"failed to join {kind} namespace: container {name} is not running")
    return giver


def _path(ctx: Context, container_id: str) -> str:
    return f"{ctx.layout.shm}/{container_id}"
