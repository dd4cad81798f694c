"""`lading stop`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.each import for_each_container
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

FLAGS = (
    Flag("signal", "s", "string", "Signal to send to the container"),
    Flag("timeout", "t", "int", "Seconds to wait before it is killed", other="time"),
)


def stop_query(given: Given) -> list[tuple[str, str]]:
    """The parameters of stop and restart."""
    query = [("signal", given["signal"])] if given["signal"] else []
    if "timeout" in given:
        query.append(("t", str(given["timeout"])))
    return query


def run(session: Session, given: Given) -> int:
    query = stop_query(given)
    return for_each_container(session.client, given.operands, "stop", query)


COMMAND = Command(
    "stop",
    "CONTAINER [CONTAINER...]",
    "Stop running containers",
    FLAGS,
    run,
    least=1,
    aliases=("container stop", "stop"),
)
