"""`lading kill`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.each import for_each
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    query = [("signal", given["signal"])] if given["signal"] else []
    return for_each(
        given.operands, lambda name: session.client.call("POST", f"/containers/{name}/kill", query)
    )


COMMAND = Command(
    "kill",
    "CONTAINER [CONTAINER...]",
    "Kill running containers, or send them a signal",
    (Flag("signal", "s", "string", "Signal to send in place of KILL"),),
    run,
    least=1,
    aliases=("container kill", "kill"),
)
