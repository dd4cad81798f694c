"""`lading export`."""

from __future__ import annotations

import os

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.output_file import unfit, write_file
from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["output"]
    if not path and os.isatty(1):
        raise CommandFailed("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if path and (problem := unfit(path)):
        raise CommandFailed(f"failed to export container: {problem}")
    answer = session.client.stream("GET", f"/containers/{given.operands[0]}/export")
    if path:
        write_file(path, answer.pieces())
        return
    for piece in answer.pieces():
        write(1, piece)


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
