"""From the flags of `run` and `create` to the body of `POST /containers/create`.

One module per subsystem: its flags and how they fill the body, value for value
as the docker CLI 28 does (tests/cli/test_create_bodies.py holds the two side
by side). Pure but for what flags ask for: env and label files, seccomp
profiles, the caller's environment and working directory.
"""

from __future__ import annotations

from lading.cli.run_options import (
    devices,
    health,
    lifecycle,
    mounts,
    network,
    ports,
    process,
    resources,
    security,
)
from lading.cli.run_options.body import empty_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given

__all__ = ["FLAGS", "build_body"]

_SUBSYSTEMS = (process, lifecycle, health, network, ports, mounts, devices, resources, security)

FLAGS = tuple(flag for subsystem in _SUBSYSTEMS for flag in subsystem.FLAGS)


def build_body(given: Given) -> dict[str, Any]:
    """The create body of a command line whose operands are image, command and arguments.

    Raises UsageError with exit code 125, as the flags' own mistakes do.
    """
    body = empty_body(given.operands[0])
    for subsystem in _SUBSYSTEMS:
        subsystem.fill(given, body, body["HostConfig"])
    return body
