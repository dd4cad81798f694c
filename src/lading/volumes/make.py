"""Making volumes, for a user or for a container that needs them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from lading.errors import Conflict, LadingError
from lading.ids import new_id
from lading.schema.volume import VolumeCreateBody
from lading.units import now_ns
from lading.volumes.context import Context
from lading.volumes.mount_point import VOLUME, MountPoint
from lading.volumes.names import check_name
from lading.volumes.record import ANONYMOUS_LABEL, DRIVER, Volume


def create(ctx: Context, body: VolumeCreateBody) -> Volume:
    """An existing volume of that name will do, whatever its options and labels.

    Raises InvalidParameter, NotFound (driver), Conflict (another driver's), InternalError.
    """
    if body.name and (present := _present(ctx, body.name, body.driver)) is not None:
        return present
    labels = dict(body.labels or {})
    if not body.name:
        labels[ANONYMOUS_LABEL] = ""
    return _make(ctx, body.name or new_id(), body.driver, body.driver_opts or {}, labels)


def _present(ctx: Context, name: str, driver: str) -> Volume | None:
    volume = ctx.store.get(name)
    if volume is not None and driver:
        with _named(name):
            if ctx.drivers.get(driver).name != volume.driver:
                said = f"driver '{volume.driver}' already has volume '{name}': volume name must be unique"
                raise Conflict(said)
    return volume


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Says of an error what was to be made."""
    try:
        yield
    except LadingError as error:
        raise type(error)(f"create {name}: {error.message}") from None


def ensure(ctx: Context, container_id: str, points: Sequence[MountPoint]) -> list[MountPoint]:
    """Makes what is missing and marks all as used; the mounts with names and sources. Raises as `create`."""
    return [_ensure(ctx, container_id, point) if point.type == VOLUME else point for point in points]


def _ensure(ctx: Context, container_id: str, point: MountPoint) -> MountPoint:
    volume = _present(ctx, point.name, point.driver) if point.name else None
    if volume is None:
        labels = {**point.labels, ANONYMOUS_LABEL: ""} if point.anonymous else point.labels
        name = point.name or new_id()
        volume = _make(ctx, name, point.driver, point.options, labels, anonymous=point.anonymous)
    elif not point.anonymous:
        ctx.store.keep(volume.name)
    ctx.store.use(volume.name, container_id)
    source = ctx.driver(volume).path(volume.name)
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
    with _named(name):
        chosen = ctx.drivers.get(driver or DRIVER)
        chosen.check(options)
        volume = Volume(
            name=name,
            created_ns=now_ns(),
            driver=chosen.name,
            labels=dict(labels),
            options=dict(options),
            anonymous=anonymous,
        )
        chosen.create(name, options)
    ctx.store.add(volume)
    ctx.publish("create", name, driver=volume.driver)
    return volume
