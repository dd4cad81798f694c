"""`lading volume restore`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    volume, name = given.operands
    query = [("force", "1")] if given["force"] else []
    session.client.call("POST", f"/lading/volumes/{volume}/snapshots/{name}/restore", query)


COMMAND = Command(
    "volume restore",
    "VOLUME SNAPSHOT",
    "Take a volume back to a snapshot",
    (Flag("force", "f", "", "Also while running containers use it"),),
    run,
    least=2,
    most=2,
)
