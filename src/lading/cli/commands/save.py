"""`lading save`."""

from __future__ import annotations

import os

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.output_file import unfit, write_file
from lading.cli.platform import FORM_HELP, platform_query
from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["output"]
    platform = platform_query("platform", given["platform"], "invalid platform: ")
    if not path and os.isatty(1):
        raise CommandFailed("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if path and (problem := unfit(path)):
        raise CommandFailed(f"failed to save image: {problem}")
    query = [*(("names", name) for name in given.operands), *platform]
    answer = session.client.stream("GET", "/images/get", query)
    try:
        if path:
            write_file(path, answer.pieces())
            return
        for piece in answer.pieces():
            write(1, piece)
    finally:
        answer.close()


COMMAND = Command(
    "save",
    "IMAGE [IMAGE...]",
    "Save one or more images to a tar archive (streamed to STDOUT by default)",
    (
        Flag("output", "o", "string", "Write to a file, instead of STDOUT"),
        Flag(
            "platform",
            "",
            "string",
            f"Save only the given platform variant. {FORM_HELP}",
            since="1.48",
        ),
    ),
    run,
    least=1,
    aliases=("image save", "save"),
)
