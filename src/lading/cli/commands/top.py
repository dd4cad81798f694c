"""`lading top`."""

from __future__ import annotations

from lading.cli.columns import align
from lading.cli.command import Command
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_LEAST_WIDTH = 20


def run(session: Session, given: Given) -> None:
    name, *arguments = given.operands
    query = [("ps_args", " ".join(arguments))] if arguments else []
    shown = session.client.get(f"/containers/{name}/top", query)
    lines = [shown["Titles"], *(shown["Processes"] or ())]
    out(align("\n".join("\t".join(line) for line in lines), _LEAST_WIDTH))


COMMAND = Command(
    "top",
    "CONTAINER [ps OPTIONS]",
    "Show what runs in a container",
    (),
    run,
    least=1,
    aliases=("container top", "top"),
    interspersed=False,
)
