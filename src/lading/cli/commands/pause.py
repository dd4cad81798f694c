"""`lading pause`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.each import for_each_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    return for_each_container(session.client, given.operands, "pause")


COMMAND = Command(
    "pause",
    "CONTAINER [CONTAINER...]",
    "Halt all processes of running containers",
    (),
    run,
    least=1,
    aliases=("container pause", "pause"),
)
