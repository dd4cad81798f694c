"""`lading load`."""

from __future__ import annotations

import os

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.progress import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lading.cli.flags import Given
    from lading.cli.session import Session

_PIECE = 1 << 20


def pieces_of(descriptor: int) -> Iterator[bytes]:
    """What a descriptor gives until its end."""
    while data := os.read(descriptor, _PIECE):
        yield data


def run(session: Session, given: Given) -> None:
    path = given["input"]
    descriptor = 0
    if path:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CommandFailed(f"open {path}: {(error.strerror or '').lower()}") from None
    elif os.isatty(0):
        raise CommandFailed("requested load from stdin, but stdin is empty")
    quiet = given["quiet"] or not os.isatty(1)
    answer = session.client.upload("/images/load", [("quiet", "1" if quiet else "0")], pieces_of(descriptor))
    failure = show(answer.objects(), descriptor=1)
    if failure:
        raise CommandFailed(failure)


COMMAND = Command(
    "load",
    "",
    "Load images from a tar archive",
    (
        Flag("input", "i", "string", "Read from this file in place of stdin"),
        Flag("platform", "", "string", "Load only this platform's variant", since="1.48"),
        Flag("quiet", "q", "", "Show no progress"),
    ),
    run,
    most=0,
    aliases=("image load", "load"),
)
