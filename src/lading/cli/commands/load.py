"""`lading load`."""

from __future__ import annotations

import os

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.input_file import open_input, pieces_of
from lading.cli.platform import FORM_HELP, platform_query
from lading.cli.progress import show
from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["input"]
    platform = platform_query("platform", given["platform"], "invalid platform: ")
    descriptor = 0
    if path:
        descriptor = open_input(path)
    elif os.isatty(0):
        raise CommandFailed("requested load from stdin, but stdin is empty")
    quiet = given["quiet"] or not os.isatty(1)
    query = [("quiet", "1" if quiet else "0"), *platform]
    answer = session.client.upload("/images/load", query, pieces_of(descriptor))
    if not answer.headers.get("content-type", "").startswith("application/json"):
        for piece in answer.pieces():
            write(1, piece)
        return
    failure = show(answer.objects(), descriptor=1)
    if failure:
        raise CommandFailed(failure)


COMMAND = Command(
    "load",
    "",
    "Load an image from a tar archive or STDIN",
    (
        Flag("input", "i", "string", "Read from tar archive file, instead of STDIN"),
        Flag(
            "platform",
            "",
            "string",
            f"Load only the given platform variant. {FORM_HELP}",
            since="1.48",
        ),
        Flag("quiet", "q", "", "Suppress the load output"),
    ),
    run,
    most=0,
    aliases=("image load", "load"),
)
