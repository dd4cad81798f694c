"""`lading diff`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_LETTERS = ("C", "A", "D")


def run(session: Session, given: Given) -> None:
    container = given.operands[0]
    if not container:
        raise CommandFailed("Container name cannot be empty")
    changes = session.client.get(f"/containers/{container}/changes") or []
    if changes:
        out("\n".join(f"{_LETTERS[change['Kind']]} {change['Path']}" for change in changes))


COMMAND = Command(
    "diff",
    "CONTAINER",
    "Show which files of a container differ from its image: A added, C changed, D deleted",
    (),
    run,
    least=1,
    most=1,
    aliases=("container diff", "diff"),
)
