"""`lading rm`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.say import err, out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_NOT_FOUND = 404


def run(session: Session, given: Given) -> int:
    query = [
        (name, "1") for name, flag in (("v", "volumes"), ("link", "link"), ("force", "force")) if given[flag]
    ]
    names = [name.strip("/") for name in given.operands]
    if not all(names):
        raise CommandFailed("Container name cannot be empty")
    refusals = session.client.call_each("DELETE", [f"/containers/{name}" for name in names], query)
    code = 0
    for name, refusal in zip(names, refusals, strict=True):
        if refusal is None:
            out(name)
            continue
        err(f"Error response from daemon: {refusal.message}")
        # What is not there needs no force: a script that cleans up is content.
        if not (given["force"] and refusal.status == _NOT_FOUND):
            code = 1
    return code


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
