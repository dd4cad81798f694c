"""`lading update`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options import resources
from lading.cli.run_options.lifecycle import restart_policy
from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_LIMITS = (
    *("blkio-weight", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus"),
    *("cpuset-cpus", "cpuset-mems", "memory", "memory-reservation", "memory-swap", "pids-limit"),
)
FLAGS = (
    *(flag for flag in resources.FLAGS if flag.name in (*_LIMITS, "kernel-memory")),
    Flag("restart", "", "string", "When to restart: no, on-failure[:times], always, unless-stopped"),
)


def update_body(given: Given) -> dict[str, Any]:
    """The body of POST /containers/{id}/update (Engine API 1.51). Raises CommandFailed."""
    body = {field: given[flag] for flag, field in resources.FIELDS if flag in _LIMITS}
    body["PidsLimit"] = given["pids-limit"] or None
    body["RestartPolicy"] = {"Name": "", "MaximumRetryCount": 0}
    if given["restart"]:
        try:
            body["RestartPolicy"] = restart_policy(given["restart"])
        except UsageError as error:
            raise CommandFailed(error.message.removeprefix("lading: ")) from None
    return body


def run(session: Session, given: Given) -> int:
    if not any(flag.name in given for flag in FLAGS):
        raise CommandFailed("you must provide one or more flags when using this command")
    body = update_body(given)
    warnings: list[str] = []
    failures = []
    for name in given.operands:
        try:
            answer = session.client.call("POST", f"/containers/{name}/update", (), body).json()
        except ApiError as refusal:
            failures.append(f"Error response from daemon: {refusal.message}")
            continue
        out(name)
        warnings += answer.get("Warnings") or []
    if warnings:
        out("\n".join(warnings))
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0


COMMAND = Command(
    "update",
    "CONTAINER [CONTAINER...]",
    "Change limits and the restart policy of containers",
    FLAGS,
    run,
    least=1,
    aliases=("container update", "update"),
)
