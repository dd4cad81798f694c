"""The value of `--mount`: comma-separated fields that describe one mount."""

from __future__ import annotations

from lading.cli.errors import BadValue
from lading.cli.run_options.fields import comma_fields
from lading.cli.run_options.working_directory import absolute_path
from lading.cli.say import err
from lading.cli.values import read_bool, read_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SWITCHES = ("readonly", "ro", "volume-nocopy", "bind-nonrecursive")
_RECURSION = ("enabled", "disabled", "writable", "readonly")
_OPTION_FIELDS = {
    "bind": "BindOptions",
    "volume": "VolumeOptions",
    "image": "ImageOptions",
    "tmpfs": "TmpfsOptions",
}


def parse_mount(text: str) -> dict[str, Any]:
    """One entry of HostConfig.Mounts (Engine API 1.51). Raises BadValue."""
    mount: dict[str, Any] = {"Type": "volume"}
    recursion = ""
    for field in comma_fields(text):
        name, equals, value = field.partition("=")
        name = name.lower()
        if not equals:
            if name not in _SWITCHES:
                raise BadValue(f"invalid field '{field}' must be a key=value pair")
            value = "true"
        reader = _READERS.get(name)
        if reader is None:
            raise BadValue(f"unexpected key '{name}' in '{field}'")
        reader(mount, name, value)
        if name == "bind-recursive":
            recursion = value
    _check_whole(mount, recursion)
    if "TmpfsOptions" in mount:
        mount["TmpfsOptions"] = {key: value for key, value in mount["TmpfsOptions"].items() if value}
    return {key: value for key, value in mount.items() if value not in ("", False)}


def _check_whole(mount: dict[str, Any], recursion: str) -> None:
    if not mount["Type"]:
        raise BadValue("type is required")
    if not mount.get("Target"):
        raise BadValue("target is required")
    for kind, options in _OPTION_FIELDS.items():
        if options in mount and mount["Type"] != kind:
            raise BadValue(f"cannot mix '{kind}-*' options with mount type '{mount['Type']}'")
    if recursion in ("writable", "readonly") and not mount.get("ReadOnly"):
        raise BadValue(
            f"option 'bind-recursive={recursion}' requires 'readonly' to be specified in conjunction"
        )
    if recursion == "readonly" and mount["BindOptions"].get("Propagation") != "rprivate":
        raise BadValue(
            "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' "
            "to be specified in conjunction"
        )


def _type(mount: dict[str, Any], name: str, value: str) -> None:
    mount["Type"] = value.lower()


def _source(mount: dict[str, Any], name: str, value: str) -> None:
    relative = value == "." or value.startswith(("./", "../"))
    mount["Source"] = absolute_path(value) if relative else value


def _target(mount: dict[str, Any], name: str, value: str) -> None:
    mount["Target"] = value


def _read_only(mount: dict[str, Any], name: str, value: str) -> None:
    mount["ReadOnly"] = _switch(name, value)


def _consistency(mount: dict[str, Any], name: str, value: str) -> None:
    mount["Consistency"] = value.lower()


def _propagation(mount: dict[str, Any], name: str, value: str) -> None:
    options = mount.setdefault("BindOptions", {})
    if value:
        options["Propagation"] = value.lower()


def _not_recursive(mount: dict[str, Any], name: str, value: str) -> None:
    wanted = _switch(name, value)
    if not wanted:
        err("lading: bind-nonrecursive is deprecated, use bind-recursive=enabled instead")
    options = mount.setdefault("BindOptions", {})
    if wanted:
        options["NonRecursive"] = True


def _recursive(mount: dict[str, Any], name: str, value: str) -> None:
    if value not in _RECURSION:
        raise BadValue(
            f'invalid value for {name}: {value} (must be "enabled", "disabled", "writable", or "readonly")'
        )
    option = {
        "disabled": "NonRecursive",
        "writable": "ReadOnlyNonRecursive",
        "readonly": "ReadOnlyForceRecursive",
    }.get(value)
    if option:
        mount.setdefault("BindOptions", {})[option] = True


def _volume_options(mount: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = mount.setdefault("VolumeOptions", {})
    options.setdefault("DriverConfig", {})
    return options


def _no_copy(mount: dict[str, Any], name: str, value: str) -> None:
    wanted = _switch(name, value)
    options = _volume_options(mount)
    if wanted:
        options["NoCopy"] = True


def _volume_subpath(mount: dict[str, Any], name: str, value: str) -> None:
    _volume_options(mount)["Subpath"] = value


def _volume_driver(mount: dict[str, Any], name: str, value: str) -> None:
    _volume_options(mount)["DriverConfig"]["Name"] = value


def _volume_label(mount: dict[str, Any], name: str, value: str) -> None:
    key, _, label = value.partition("=")
    _volume_options(mount).setdefault("Labels", {})[key] = label


def _volume_option(mount: dict[str, Any], name: str, value: str) -> None:
    key, _, option = value.partition("=")
    _volume_options(mount)["DriverConfig"].setdefault("Options", {})[key] = option


def _image_subpath(mount: dict[str, Any], name: str, value: str) -> None:
    mount.setdefault("ImageOptions", {})["Subpath"] = value


def _tmpfs_size(mount: dict[str, Any], name: str, value: str) -> None:
    try:
        mount.setdefault("TmpfsOptions", {})["SizeBytes"] = read_size(value)
    except BadValue:
        raise BadValue(f"invalid value for {name}: {value}") from None


def _tmpfs_mode(mount: dict[str, Any], name: str, value: str) -> None:
    try:
        mount.setdefault("TmpfsOptions", {})["Mode"] = int(value, 8)
    except ValueError:
        raise BadValue(f"invalid value for {name}: {value}") from None


def _switch(name: str, value: str) -> bool:
    try:
        return read_bool(value)
    except BadValue:
        raise BadValue(f"invalid value for {name}: {value}") from None


_READERS: dict[str, Callable[[dict[str, Any], str, str], None]] = {
    "type": _type,
    "source": _source,
    "src": _source,
    "target": _target,
    "dst": _target,
    "destination": _target,
    "readonly": _read_only,
    "ro": _read_only,
    "consistency": _consistency,
    "bind-propagation": _propagation,
    "bind-nonrecursive": _not_recursive,
    "bind-recursive": _recursive,
    "volume-nocopy": _no_copy,
    "volume-subpath": _volume_subpath,
    "volume-driver": _volume_driver,
    "volume-label": _volume_label,
    "volume-opt": _volume_option,
    "image-subpath": _image_subpath,
    "tmpfs-size": _tmpfs_size,
    "tmpfs-mode": _tmpfs_mode,
}
