"""Making volumes, for a user or for a container that needs them."""

from collections.abc import Mapping, Sequence

import msgspec

from lading.errors import InternalError, NotFound, Unsupported
from lading.ids import new_id
from lading.schema.volume import VolumeCreateBody
from lading.units import now_ns
from lading.volumes.context import Context
from lading.volumes.mount_point import VOLUME, MountPoint
from lading.volumes.names import check_name
from lading.volumes.record import ANONYMOUS_LABEL, DRIVER, Volume


def create(ctx: Context, body: VolumeCreateBody) -> Volume:
    """An existing volume of that name will do.

    Raises InvalidParameter, NotFound (driver), InternalError.
    """
    if body.name and (present := ctx.store.get(body.name)) is not None:
        return present
    labels = dict(body.labels or {})
    if not body.name:
        labels[ANONYMOUS_LABEL] = ""
    return _make(ctx, body.name or new_id(), body.driver, body.driver_opts or {}, labels)


def ensure(ctx: Context, container_id: str, points: Sequence[MountPoint]) -> list[MountPoint]:
    """Makes what is missing and marks all as used; the mounts with names and sources. Raises as `create`."""
    return [_ensure(ctx, container_id, point) if point.type == VOLUME else point for point in points]


def _ensure(ctx: Context, container_id: str, point: MountPoint) -> MountPoint:
    volume = ctx.store.get(point.name) if point.name else None
    if volume is None:
        labels = {**point.labels, ANONYMOUS_LABEL: ""} if point.anonymous else point.labels
        name = point.name or new_id()
        volume = _make(ctx, name, point.driver, point.options, labels, anonymous=point.anonymous)
    elif not point.anonymous:
        ctx.store.keep(volume.name)
    ctx.store.use(volume.name, container_id)
    source = ctx.directories.data(volume.name)
    return msgspec.structs.replace(point, name=volume.name, driver=volume.driver, source=source)


def _make(
    ctx: Context,
    name: str,
    driver: str,
    options: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    anonymous: bool = False,
) -> Volume:
    check_name(name)
    if driver not in ("", DRIVER):
        raise NotFound(f'error looking up volume plugin {driver}: plugin "{driver}" not found')
    if options:
        raise Unsupported(f"create {name}: options of the local driver are not supported yet")
    volume = Volume(name=name, created_ns=now_ns(), labels=dict(labels), anonymous=anonymous)
    try:
        garbage = ctx.directories.make(name)
    except OSError as error:
        raise InternalError(f"create {name}: {error}") from None
    if garbage is not None:
        ctx.delete_later([garbage])
    ctx.store.add(volume)
    ctx.publish("create", name, driver=volume.driver)
    return volume
