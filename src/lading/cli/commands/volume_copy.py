"""`lading volume copy`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    source, target = given.operands
    query = [("to", target), *([("force", "1")] if given["force"] else [])]
    out(session.client.call("POST", f"/lading/volumes/{source}/copy", query).json()["Name"])


COMMAND = Command(
    "volume copy",
    "VOLUME NEW_VOLUME",
    "Make a volume with the files of another",
    (Flag("force", "f", "", "Also while running containers use it"),),
    run,
    least=2,
    most=2,
)
