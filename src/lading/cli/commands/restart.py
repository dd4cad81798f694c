"""`lading restart`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.commands.stop import FLAGS, stop_query
from lading.cli.each import for_each_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    query = stop_query(given)
    return for_each_container(session.client, given.operands, "restart", query)


COMMAND = Command(
    "restart",
    "CONTAINER [CONTAINER...]",
    "Stop and start containers",
    FLAGS,
    run,
    least=1,
    aliases=("container restart", "restart"),
)
