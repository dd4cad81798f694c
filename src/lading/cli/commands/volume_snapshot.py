"""`lading volume snapshot`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    place = f"/lading/volumes/{given.operands[0]}/snapshots"
    if len(given.operands) == 1:
        if given["rm"]:
            raise CommandFailed("which snapshot is to be removed?")
        names = session.client.get(place)["Snapshots"]
        if names:
            out("\n".join(names))
        return
    name = given.operands[1]
    if given["rm"]:
        session.client.call("DELETE", f"{place}/{name}")
    else:
        session.client.call("POST", f"{place}/{name}", [("force", "1")] if given["force"] else [])
    out(name)


COMMAND = Command(
    "volume snapshot",
    "VOLUME [SNAPSHOT]",
    "Keep the files of a volume as they are now; without a name, list what was kept",
    (
        Flag("force", "f", "", "Also while running containers use it"),
        Flag("rm", "", "", "Remove a snapshot"),
    ),
    run,
    least=1,
    most=2,
)
