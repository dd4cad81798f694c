"""`lading wait`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.say import err, out
from lading.cli.waiting import Ending
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    failures = []
    for name in given.operands:
        try:
            out(str(Ending(session.client, name, "").code()))
        except ApiError as refusal:
            failures.append(f"Error response from daemon: {refusal.message}")
        except CommandFailed as failure:
            failures.append(failure.message)
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0


COMMAND = Command(
    "wait",
    "CONTAINER [CONTAINER...]",
    "Wait until containers stop and print their exit codes",
    (),
    run,
    least=1,
    aliases=("container wait", "wait"),
)
