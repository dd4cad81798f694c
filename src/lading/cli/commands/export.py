"""`lading export`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.output_file import check_output, deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["output"]
    check_output(path, "failed to export container")
    answer = session.client.stream("GET", f"/containers/{given.operands[0]}/export")
    deliver(answer, path)


COMMAND = Command(
    "export",
    "CONTAINER",
    "Write a container's whole file system as a tar archive",
    (Flag("output", "o", "string", "Write to this file in place of stdout"),),
    run,
    least=1,
    most=1,
    aliases=("container export", "export"),
)
