"""`lading rm`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_NOT_FOUND = 404


def run(session: Session, given: Given) -> int:
    query = [(name, "1") for name, flag in (("v", "volumes"), ("link", "link"), ("force", "force")) if given[flag]]
    failures = []
    forgiven = False
    for name in given.operands:
        name = name.strip("/")
        if not name:
            raise CommandFailed("Container name cannot be empty")
        try:
            session.client.call("DELETE", f"/containers/{name}", query)
        except ApiError as refusal:
            # What is not there needs no force: a script that cleans up is content.
            forgiven = given["force"] and refusal.status == _NOT_FOUND
            if forgiven:
                err(f"Error response from daemon: {refusal.message}")
            else:
                failures.append(f"Error response from daemon: {refusal.message}")
        else:
            out(name)
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0


COMMAND = Command(
    "rm",
    "CONTAINER [CONTAINER...]",
    "Remove containers",
    (
        Flag("force", "f", "", "Remove it even if it runs, by killing it"),
        Flag("link", "l", "", "Remove a link, not a container"),
        Flag("volumes", "v", "", "Remove its anonymous volumes too"),
    ),
    run,
    least=1,
    aliases=("container rm", "container remove", "rm"),
)
