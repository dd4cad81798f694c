"""From what a client asks to mount points: `-v`, `--mount`, `--tmpfs`, VOLUME, `--volumes-from`. Pure.

Source: Engine API 1.51, HostConfig (Binds, Mounts, Tmpfs, VolumesFrom); the
errors are dockerd's own.
"""

import posixpath
from collections.abc import Mapping, Sequence

from lading.errors import InvalidParameter
from lading.schema.container import BindOptions, ImageOptions, Mount, VolumeOptions
from lading.volumes import tmpfs
from lading.volumes.mode import DEFAULT_PROPAGATION, is_propagation, parse_mode
from lading.volumes.mount_point import BIND, IMAGE, TMPFS, VOLUME, MountPoint
from lading.volumes.names import check_name


def plan(
    *,
    binds: Sequence[str],
    mounts: Sequence[Mount],
    tmpfs_mounts: Mapping[str, str],
    declared: Sequence[str],
    volumes_from: Sequence[str],
    others: Mapping[str, Sequence[MountPoint]],
    volume_driver: str = "",
) -> list[MountPoint]:
    """Everything to be mounted, each destination once, ordered by destination.

    `declared` are the image's and the client's VOLUMEs, which give way to any
    other mount; `others` are the mounts of the containers in `volumes_from`.
    Raises InvalidParameter.
    """
    for destination, options in tmpfs_mounts.items():
        _check_destination(destination)
        tmpfs.merge(options.split(","))
    in_memory = {_clean(destination) for destination in tmpfs_mounts}
    points = {point.destination: point for point in _inherited(volumes_from, others)}
    asked: set[str] = set()
    for point in (
        *(parse_bind(bind, volume_driver) for bind in binds),
        *(parse_mount(mount) for mount in mounts),
    ):
        if point.destination in asked | in_memory:
            raise InvalidParameter(f"Duplicate mount point: {point.destination}")
        asked.add(point.destination)
        points[point.destination] = point
    for destination in map(_clean, declared):
        if destination not in points and destination not in in_memory:
            _check_destination(destination)
            points[destination] = MountPoint(type=VOLUME, destination=destination, anonymous=True, copy=True)
    return [points[destination] for destination in sorted(points)]


def _inherited(volumes_from: Sequence[str], others: Mapping[str, Sequence[MountPoint]]) -> list[MountPoint]:
    points = []
    for entry in volumes_from:
        if not entry:
            raise InvalidParameter("volumes-from specification cannot be an empty string")
        container, _, text = entry.partition(":")
        mode = parse_mode(text)
        if mode is None or mode.propagation or not mode.copy:
            raise InvalidParameter(f"invalid mode: {text}")
        for point in others[container]:
            inherited = {name: getattr(point, name) for name in MountPoint.__struct_fields__}
            inherited |= {"rw": point.rw and mode.rw, "copy": False, "create_source": False, "mode": ""}
            points.append(MountPoint(**inherited))
    return points


def parse_bind(text: str, volume_driver: str = "") -> MountPoint:
    """One of `Binds`: "source:destination:mode", where a source that is no path names a volume.

    Raises InvalidParameter.
    """
    parts = text.split(":")
    if len(parts) > 3 or not parts[0] or (len(parts) == 2 and parse_mode(parts[1]) is not None):
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    source, destination = ("", parts[0]) if len(parts) == 1 else parts[:2]
    words = parts[2] if len(parts) == 3 else ""
    mode = parse_mode(words)
    if mode is None:
        raise InvalidParameter(f"invalid mode: {words}")
    kind = BIND if source.startswith("/") else VOLUME
    try:
        if not destination:
            raise InvalidParameter("field Target must not be empty")
        _check_destination(destination)
    except InvalidParameter as error:
        reason = f'invalid mount config for type "{kind}": {error.message}'
        raise InvalidParameter(f"invalid volume specification: '{text}': {reason}") from None
    if kind == VOLUME:
        if source:
            check_name(source)
        return MountPoint(
            type=VOLUME,
            destination=_clean(destination),
            name=source,
            driver=volume_driver,
            # The name alone may be used from several containers, which is what "z" says.
            mode=words or "z",
            rw=mode.rw,
            anonymous=not source,
            copy=mode.copy,
        )
    return MountPoint(
        type=BIND,
        destination=_clean(destination),
        source=_clean(source),
        mode=words,
        rw=mode.rw,
        read_only=mode.read_only,
        propagation=mode.propagation or DEFAULT_PROPAGATION,
        create_source=True,
    )


def parse_mount(mount: Mount) -> MountPoint:
    """One of `Mounts`. Whether a bind's source exists is for the caller to see. Raises InvalidParameter."""
    try:
        return _parse_mount(mount)
    except InvalidParameter as error:
        raise InvalidParameter(f'invalid mount config for type "{mount.type}": {error.message}') from None


def _parse_mount(mount: Mount) -> MountPoint:
    if not mount.target:
        raise InvalidParameter("field Target must not be empty")
    _check_destination(mount.target)
    _check_fields(mount)
    if mount.type == BIND:
        return _bind(mount, mount.bind_options or BindOptions())
    if mount.type == VOLUME:
        return _volume(mount, mount.volume_options or VolumeOptions())
    if mount.type == TMPFS:
        words = tmpfs.from_mount(mount.tmpfs_options, read_only=mount.read_only)
        options = dict.fromkeys(words, "")
        return MountPoint(
            type=TMPFS, destination=_clean(mount.target), rw=not mount.read_only, options=options
        )
    if mount.type == IMAGE:
        return _image(mount, mount.image_options or ImageOptions())
    raise InvalidParameter("mount type unknown")


_FOREIGN = {
    BIND: ("volume_options", "image_options", "tmpfs_options"),
    VOLUME: ("bind_options", "image_options", "tmpfs_options"),
    TMPFS: ("bind_options", "volume_options", "image_options", "source"),
    IMAGE: ("bind_options", "volume_options", "tmpfs_options"),
}
_FIELDS = {
    "bind_options": "BindOptions",
    "volume_options": "VolumeOptions",
    "image_options": "ImageOptions",
    "tmpfs_options": "TmpfsOptions",
    "source": "Source",
}


def _check_fields(mount: Mount) -> None:
    for field in _FOREIGN.get(mount.type, ()):
        if getattr(mount, field):
            raise InvalidParameter(f"field {_FIELDS[field]} must not be specified")


def _bind(mount: Mount, options: BindOptions) -> MountPoint:
    if not mount.source:
        raise InvalidParameter("field Source must not be empty")
    if options.propagation and not is_propagation(options.propagation):
        raise InvalidParameter(f"invalid propagation mode: {options.propagation}")
    _check_absolute(mount.source)
    if options.read_only_non_recursive and options.read_only_force_recursive:
        raise InvalidParameter("ReadOnlyForceRecursive and ReadOnlyNonRecursive exclude each other")
    if options.read_only_force_recursive and options.non_recursive:
        raise InvalidParameter("ReadOnlyForceRecursive needs a recursive bind")
    read_only = "non-recursive" if options.read_only_non_recursive else ""
    read_only = "force-recursive" if options.read_only_force_recursive else read_only
    return MountPoint(
        type=BIND,
        destination=_clean(mount.target),
        source=_clean(mount.source),
        rw=not mount.read_only,
        propagation=options.propagation or DEFAULT_PROPAGATION,
        create_source=options.create_mountpoint,
        recursive=not options.non_recursive,
        read_only=read_only,
    )


def _volume(mount: Mount, options: VolumeOptions) -> MountPoint:
    if options.subpath:
        if not mount.source:
            raise InvalidParameter("must not set Subpath when using anonymous volumes")
        _check_subpath(options.subpath)
    if mount.read_only and not mount.source:
        raise InvalidParameter("must not set ReadOnly mode when using anonymous volumes")
    if mount.source:
        check_name(mount.source)
    driver = options.driver_config
    return MountPoint(
        type=VOLUME,
        destination=_clean(mount.target),
        name=mount.source,
        driver=driver.name if driver else "",
        mode="z",
        rw=not mount.read_only,
        anonymous=not mount.source,
        copy=not options.no_copy,
        subpath=options.subpath,
        options=(driver.options if driver else None) or {},
        labels=options.labels or {},
    )


def _image(mount: Mount, options: ImageOptions) -> MountPoint:
    if not mount.source:
        raise InvalidParameter("field Source must not be empty")
    _check_subpath(options.subpath)
    return MountPoint(
        type=IMAGE,
        destination=_clean(mount.target),
        name=mount.source,
        rw=False,
        propagation=DEFAULT_PROPAGATION,
        subpath=options.subpath,
    )


def _check_subpath(subpath: str) -> None:
    if subpath.startswith("/") or ".." in subpath.split("/"):
        raise InvalidParameter("subpath must be a relative path within the volume")


def _check_destination(destination: str) -> None:
    if _clean(destination) == "/":
        raise InvalidParameter("invalid specification: destination can't be '/'")
    _check_absolute(destination)


def _check_absolute(path: str) -> None:
    if not path.startswith("/"):
        raise InvalidParameter(f"invalid mount path: '{path}' mount path must be absolute")


def _clean(path: str) -> str:
    # normpath leaves two leading slashes as they are, which POSIX allows and Linux does not tell apart.
    return posixpath.normpath(path).replace("//", "/", 1)
