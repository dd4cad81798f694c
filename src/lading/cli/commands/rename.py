"""`lading rename`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    old, new = (operand.strip() for operand in given.operands)
    if not old or not new:
        raise CommandFailed("Error: Neither old nor new names may be empty")
    session.client.call("POST", f"/containers/{old}/rename", [("name", new)])


COMMAND = Command(
    "rename",
    "CONTAINER NEW_NAME",
    "Give a container another name",
    (),
    run,
    least=2,
    most=2,
    aliases=("container rename", "rename"),
)
