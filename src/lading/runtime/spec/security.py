"""The `--security-opt` values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from lading.errors import InvalidParameter

UNCONFINED = "unconfined"
BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class SecurityOptions:
    """What the user said of a container's confinement.

    `seccomp` is "" for the daemon's default, "unconfined", "builtin", or a
    profile's JSON text.
    """

    no_new_privileges: bool | None = None
    seccomp: str = ""
    apparmor: str = ""
    labels: tuple[str, ...] = ()
    system_paths_open: bool = False
    writable_cgroups: bool = False


def parse_security_options(options: Iterable[str] | None) -> SecurityOptions:
    """Raises InvalidParameter for what is not known."""
    no_new_privileges: bool | None = None
    values: dict[str, str] = {}
    labels: list[str] = []
    for option in options or ():
        key, value = _split(option)
        if key == "no-new-privileges":
            no_new_privileges = _boolean(option, value)
        elif key in ("label", "seccomp", "apparmor", "systempaths", "writable-cgroups") and value:
            labels += [value] if key == "label" else []
            values[key] = value
        else:
            raise InvalidParameter(f'invalid --security-opt 2: "{option}"')
    if values.get("systempaths", UNCONFINED) != UNCONFINED:
        raise InvalidParameter(f'invalid --security-opt 2: "systempaths={values["systempaths"]}"')
    return SecurityOptions(
        no_new_privileges=no_new_privileges,
        seccomp=values.get("seccomp", ""),
        apparmor=values.get("apparmor", ""),
        labels=tuple(labels),
        system_paths_open="systempaths" in values,
        writable_cgroups=_boolean("writable-cgroups", values.get("writable-cgroups", "false")),
    )


def _split(option: str) -> tuple[str, str]:
    separator = "=" if "=" in option else ":"
    key, _, value = option.partition(separator)
    return key, value


def _boolean(option: str, value: str) -> bool:
    if value.lower() in ("", "1", "t", "true"):
        return True
    if value.lower() in ("0", "f", "false"):
        return False
    raise InvalidParameter(f'invalid --security-opt 2: "{option}"')
