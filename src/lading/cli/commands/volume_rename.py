"""`lading volume rename`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    old, new = given.operands
    query = [("to", new), *([("force", "1")] if given["force"] else [])]
    session.client.call("POST", f"/lading/volumes/{old}/rename", query)


COMMAND = Command(
    "volume rename",
    "VOLUME NEW_NAME",
    "Give a volume another name",
    (Flag("force", "f", "", "Also where containers use it; they get to know the new name"),),
    run,
    least=2,
    most=2,
)
