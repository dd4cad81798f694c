"""`lading volume rm`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    query = [("force", "1")] if given["force"] else []
    failures = []
    for name in given.operands:
        if not name:
            failures.append("invalid volume name: value is empty")
            continue
        try:
            session.client.call("DELETE", f"/volumes/{name}", query)
        except ApiError as refusal:
            failures.append(f"Error response from daemon: {refusal.message}")
        else:
            out(name)
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0


COMMAND = Command(
    "volume rm",
    "VOLUME [VOLUME...]",
    "Remove one or more volumes",
    (Flag("force", "f", "", "Force the removal of one or more volumes", since="1.25"),),
    run,
    least=1,
    aliases=("volume rm", "volume remove"),
    details="Remove one or more volumes. You cannot remove a volume that is in use by a container.",
)
