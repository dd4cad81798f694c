"""Changing the limits and the restart policy of a container that exists."""

import errno
from collections.abc import Collection

from lading.containers import restarts
from lading.containers.cgroup import cgroup_of
from lading.containers.context import Context
from lading.containers.mount_live import change_mounts
from lading.containers.publish import change_ports
from lading.containers.record import Container, Status
from lading.containers.updating import updated, wish_of
from lading.errors import Conflict, InternalError, InvalidParameter, LadingError
from lading.linux import cgroups
from lading.runtime import block_devices_of
from lading.runtime.spec import limit_files, settle_limits
from lading.schema.container import HostConfig, UpdateBody


async def update(ctx: Context, container: Container, body: UpdateBody) -> list[str]:
    """Changes what `body` names, in a running container at once; returns warnings.

    Raises InvalidParameter, or Conflict where it does not go with what is set.
    """
    wish = wish_of(body)
    restarts.check(wish.restart_policy, auto_remove=False)
    warnings = settle_limits(wish, ctx.machine, update=True)

    async def work() -> None:
        try:
            _check_exists(ctx, container)
            if body.lading is not None:
                await change_mounts(ctx, container, body.lading)
                await change_ports(ctx, container, body.lading)
            _update(ctx, container, wish)
        except LadingError as error:
            # A new one: what is raised may be anybody's.
            raise type(error)(f"Cannot update container {container.id}: {error.message}") from None
        ctx.publish(container, "update")

    await container.worker.do(work)
    return warnings


def _check_exists(ctx: Context, container: Container) -> None:
    if container.id not in ctx.registry or container.state.status is Status.DEAD:
        raise Conflict('container is marked for removal and cannot be "update"')


def _update(ctx: Context, container: Container, wish: HostConfig) -> None:
    before = container.definition.host
    after, changed = updated(before, wish)
    if container.state.running:
        try:
            _bring_into_force(ctx, container, after, changed)
        except OSError as error:
            _take_back(ctx, container, before, changed)
            raise _refusal(error) from None
    container.definition.host = after
    ctx.store.save_definition(container)


def _refusal(error: OSError) -> LadingError:
    message = f"the kernel refuses it: {error.strerror}: {error.filename}"
    if error.errno in (errno.EINVAL, errno.ERANGE, errno.EOVERFLOW):
        return InvalidParameter(message)
    # It holds more than it would be allowed, or its processes do.
    return Conflict(message) if error.errno in (errno.EBUSY, errno.ENOSPC) else InternalError(message)


def _bring_into_force(ctx: Context, container: Container, host: HostConfig, changed: Collection[str]) -> None:
    group = cgroup_of(ctx, container)
    waiting = limit_files(host, changed, ctx.machine.cgroup_version, block_devices_of(host))
    refused = []
    for file in waiting:
        try:
            cgroups.write(group, *file)
        except OSError:
            # Memory with swap must never be less than memory, whichever is changed first.
            refused.append(file)
    for file in refused:
        cgroups.write(group, *file)


def _take_back(ctx: Context, container: Container, host: HostConfig, changed: Collection[str]) -> None:
    set_before = [name for name in changed if getattr(host, name)]
    try:
        _bring_into_force(ctx, container, host, set_before)
    except OSError:
        pass
