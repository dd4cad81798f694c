"""The `--security-opt` values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lading.errors import InvalidParameter

UNCONFINED = "unconfined"
BUILTIN = "builtin"

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_KEYS = frozenset(("seccomp", "apparmor", "label", "systempaths", "no-new-privileges", "writable-cgroups"))


@dataclass(frozen=True, slots=True)
class SecurityOptions:
    """What the user said of a container's confinement; None where nothing.

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
    """The last word counts. Raises InvalidParameter for what is not known."""
    return _parse(tuple(options or ()))


@lru_cache(maxsize=64)
def _parse(options: tuple[str, ...]) -> SecurityOptions:
    values: dict[str, str] = {}
    flags: dict[str, bool] = {}
    labels: list[str] = []
    for option in options:
        key, value = _split(option)
        if key == "label":
            labels.append(value)
        elif key in ("no-new-privileges", "writable-cgroups"):
            flags[key] = _boolean(option, value)
        elif key not in _KEYS or (key == "systempaths" and value != UNCONFINED):
            raise InvalidParameter(f'invalid --security-opt 2: "{option}"')
        else:
            values[key] = value
    return SecurityOptions(
        no_new_privileges=flags.get("no-new-privileges"),
        seccomp=values.get("seccomp", ""),
        apparmor=values.get("apparmor", ""),
        labels=tuple(labels),
        system_paths_open="systempaths" in values,
        writable_cgroups=flags.get("writable-cgroups", False),
    )


def _split(option: str) -> tuple[str, str]:
    if option == "no-new-privileges":
        return option, "true"
    if option == "disable":
        return "label", option
    # A colon was the separator once; profiles are full of both.
    separator = "=" if "=" in option else ":"
    key, found, value = option.partition(separator)
    if not found:
        raise InvalidParameter(f'invalid --security-opt 1: "{option}"')
    return key, value


def _boolean(option: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise InvalidParameter(f'invalid --security-opt 2: "{option}"')
    return value in _TRUE
