"""`lading completion`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.say import out
from lading.cli.shells import SCRIPTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    script = SCRIPTS.get(given.operands[0])
    if script is None:
        raise CommandFailed(f"unknown shell: {given.operands[0]}; there are {', '.join(SCRIPTS)}")
    out(script.removesuffix("\n"))


COMMAND = Command(
    "completion",
    "bash|fish|zsh",
    "Print a script that makes a shell complete command lines",
    (),
    run,
    least=1,
    most=1,
)
