"""`lading kill`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.each import for_each_container
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    query = [("signal", given["signal"])] if given["signal"] else []
    return for_each_container(session.client, given.operands, "kill", query)


COMMAND = Command(
    "kill",
    "CONTAINER [CONTAINER...]",
    "Kill running containers, or send them a signal",
    (Flag("signal", "s", "string", "Signal to send in place of KILL"),),
    run,
    least=1,
    aliases=("container kill", "kill"),
)
