"""Another name for a volume, in the containers that use it too."""

import msgspec

from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import InternalError
from lading.volumes import VOLUME, MountPoint


def rename_volume(ctx: Context, name: str, new: str, *, force: bool) -> None:
    """Raises NotFound, Conflict (in use, unless forced), InvalidParameter, Unsupported, InternalError."""
    users = [
        container
        for container in ctx.registry
        if any(point.type == VOLUME and point.name == name for point in container.definition.mounts)
    ]
    before = [
        (user, user.definition.mounts, user.definition.host.binds, user.definition.host.mounts)
        for user in users
    ]

    def record() -> None:
        source = ctx.volumes.inspect(new)["Mountpoint"]
        for user in users:
            _change(user, name, new, source)
            ctx.store.save_definition(user)

    try:
        ctx.volumes.rename(name, new, record, force=force)
    except BaseException as error:
        if ctx.volumes.exists(name):
            for user, mounts, binds, wishes in before:
                user.definition.mounts = mounts
                user.definition.host.binds, user.definition.host.mounts = binds, wishes
        if isinstance(error, OSError):
            raise InternalError(f"rename {name}: {error.strerror}") from None
        raise


def _change(container: Container, name: str, new: str, source: str) -> None:
    def changed(point: MountPoint) -> MountPoint:
        if point.type != VOLUME or point.name != name:
            return point
        return msgspec.structs.replace(point, name=new, source=source, anonymous=False)

    definition, host = container.definition, container.definition.host
    definition.mounts = [changed(point) for point in definition.mounts]
    if host.binds:
        host.binds = [new + bind[len(name) :] if bind.startswith(f"{name}:") else bind for bind in host.binds]
    if host.mounts:
        host.mounts = [
            msgspec.structs.replace(mount, source=new)
            if mount.type == VOLUME and mount.source == name
            else mount
            for mount in host.mounts
        ]
