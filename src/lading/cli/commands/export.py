"""`lading export`."""

from __future__ import annotations

import os
import stat

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.output_file import write_file
from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["output"]
    if not path and os.isatty(1):
        raise CommandFailed("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if path:
        _check(path)
    answer = session.client.stream("GET", f"/containers/{given.operands[0]}/export")
    if path:
        write_file(path, answer.pieces())
        return
    for piece in answer.pieces():
        write(1, piece)


def _check(path: str) -> None:
    """Raises CommandFailed where no file could be put at `path`."""
    problem = ""
    directory = os.path.dirname(path)
    try:
        if directory:
            os.stat(f"{directory}/")
    except OSError as error:
        problem = f"invalid output path: stat {directory}: {(error.strerror or '').lower()}"
    else:
        problem = _unfit(path)
    if problem:
        raise CommandFailed(f"failed to export container: {problem}")


def _unfit(path: str) -> str:
    """Why what is at `path` cannot be replaced by a file, or ""."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return ""
    kinds = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISCHR, "a character device file"),
        (stat.S_ISBLK, "a block device file"),
        (stat.S_ISFIFO, "a named pipe file"),
        (stat.S_ISSOCK, "a socket file"),
    )
    return next((f"cannot write to {name}" for check, name in kinds if check(mode)), "")


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
