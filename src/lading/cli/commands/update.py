"""`lading update`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options import resources
from lading.cli.run_options.lifecycle import restart_policy
from lading.cli.run_options.mounts import read_mount
from lading.cli.run_options.ports import parse_publish, short_form
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
# Beyond docker's.
MORE_FLAGS = (
    Flag("mount-add", "", "mount", "Mount something: type=bind,src=/a,dst=/b[,readonly]", gathers=True,
         check=read_mount),
    Flag("mount-rm", "", "list", "Unmount what is mounted there: directory"),
    Flag("publish-add", "", "list", "Publish one more port: [[ip:]host-port:]port[/protocol]"),
    Flag("publish-rm", "", "list", "Publish a port no more: [ip:]host-port[:port][/protocol]"),
)  # fmt: skip


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
    if changes := live_changes(given):
        body["Lading"] = changes
    return body


def live_changes(given: Given) -> dict[str, Any]:
    """What is asked for beyond Docker's API (docs/api-extensions.md). Raises CommandFailed."""
    changes: dict[str, Any] = {}
    try:
        if given["publish-add"]:
            changes["PublishAdd"] = [
                {"Port": port, **binding}
                for text in given["publish-add"]
                for port, binding in parse_publish(short_form(text))
            ]
    except UsageError as error:
        raise CommandFailed(error.message.removeprefix("lading: ")) from None
    if given["publish-rm"]:
        changes["PublishRemove"] = [_published(text) for text in given["publish-rm"]]
    if given["mount-add"]:
        changes["MountAdd"] = list(given["mount-add"])
    if given["mount-rm"]:
        changes["MountRemove"] = given["mount-rm"]
    return changes


def _published(text: str) -> dict[str, str]:
    """A published port by its host side: 8080, 8080/udp, 127.0.0.1:8080, 8080:80. Raises CommandFailed."""
    name, _, protocol = text.partition("/")
    parts = name.rsplit(":", 2)
    address = parts.pop(0) if len(parts) > 1 and not parts[0].isdecimal() else ""
    if len(parts) > 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise CommandFailed(f"invalid published port: {text}")
    return {
        "HostIp": address.strip("[]"),
        "HostPort": parts[0],
        "Port": parts[1] if len(parts) > 1 else "",
        "Protocol": protocol,
    }


def run(session: Session, given: Given) -> int:
    if not any(flag.name in given for flag in (*FLAGS, *MORE_FLAGS)):
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
    (*FLAGS, *MORE_FLAGS),
    run,
    least=1,
    aliases=("container update", "update"),
)
