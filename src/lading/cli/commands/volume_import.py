"""`lading volume import`."""

from __future__ import annotations

import os

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.input_file import open_input, pieces_of
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    name, path = (*given.operands, "-")[:2]
    descriptor = 0
    if path != "-":
        descriptor = open_input(path)
    elif os.isatty(0):
        raise CommandFailed("requested import from stdin, but stdin is empty")
    query = [("force", "1")] if given["force"] else []
    answer = session.client.upload(f"/lading/volumes/{name}/archive", query, pieces_of(descriptor))
    for made in answer.objects():
        out(made["Name"])


COMMAND = Command(
    "volume import",
    "VOLUME [FILE]",
    "Make a volume with the files of a tar archive, or have them replace its own",
    (Flag("force", "f", "", "Also where the volume has files, or running containers use it"),),
    run,
    least=1,
    most=2,
)
