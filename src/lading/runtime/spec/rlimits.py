"""Resource limits of processes, `ulimit`. Pure.

Source: getrlimit(2); runtime-spec 1.2, config.md, "POSIX process", rlimits.
"""

from collections.abc import Sequence
from typing import Any

from lading.errors import InvalidParameter
from lading.schema.container import HostConfig, Ulimit

_INFINITY = 2**64 - 1
_NAMES = frozenset(
    """as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending
    stack""".split()
)


def rlimits(host: HostConfig, defaults: Sequence[Ulimit]) -> list[dict[str, Any]]:
    """The container's limits and those of the daemon's `defaults` it does not set itself."""
    own = host.ulimits or []
    named = {limit.name for limit in own}
    return [
        {
            "type": f"RLIMIT_{limit.name.upper()}",
            "soft": _value(limit.soft),
            "hard": _value(limit.hard),
        }
        for limit in (*own, *(limit for limit in defaults if limit.name not in named))
    ]


def _value(limit: int) -> int:
    return limit if limit >= 0 else _INFINITY


def check_ulimits(host: HostConfig) -> None:
    """Raises InvalidParameter for a limit that is none."""
    for limit in host.ulimits or []:
        if limit.name not in _NAMES:
            raise InvalidParameter(f"invalid ulimit type: {limit.name}")
        if _value(limit.soft) > _value(limit.hard):
            raise InvalidParameter(
                f"ulimit soft limit must be less than or equal to hard limit: {limit.soft} > {limit.hard}"
            )
