"""`lading volume update`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    if not given.operands:
        raise CommandFailed("which volume is to be updated?")
    volume = session.client.get(f"/volumes/{given.operands[0]}").get("ClusterVolume")
    if not volume:
        raise CommandFailed("can only update cluster volumes")
    spec = volume.get("Spec") or {}
    if "availability" in given:
        spec["Availability"] = given["availability"]
    version = (volume.get("Version") or {}).get("Index", 0)
    session.client.call("PUT", f"/volumes/{volume['ID']}", [("version", str(version))], body={"Spec": spec})


COMMAND = Command(
    "volume update",
    "[VOLUME]",
    "Update a volume (cluster volumes only)",
    (
        Flag(
            "availability",
            "",
            "string",
            'Cluster Volume availability ("active", "pause", "drain") (default "active")',
            default="active",
            since="1.42",
        ),
    ),
    run,
    most=1,
)
