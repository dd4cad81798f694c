"""`lading commit`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.reference import parse_reference
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    container, *names = given.operands
    repository, tag = _name(names[0]) if names and names[0] else ("", "")
    query = [("container", container), ("repo", repository), ("tag", tag)]
    query += [("author", given["author"]), ("comment", given["message"])]
    query += [("changes", change) for change in given["change"]]
    if not given["pause"]:
        query.append(("pause", "0"))
    out(session.client.call("POST", "/commit", query, {}).json()["Id"])


def _name(text: str) -> tuple[str, str]:
    reference = parse_reference(text)
    if reference.digest:
        raise CommandFailed("refusing to create a tag with a digest reference")
    return reference.name, reference.tag or "latest"


COMMAND = Command(
    "commit",
    "CONTAINER [REPOSITORY[:TAG]]",
    "Make an image from a container and what was changed in it",
    (
        Flag("author", "a", "string", "Who made it: Name <address>"),
        Flag("change", "c", "list", "Apply a Dockerfile instruction to the image"),
        Flag("message", "m", "string", "Message for the image's history"),
        Flag("pause", "p", "", "Pause the container meanwhile", default=True),
    ),
    run,
    least=1,
    most=2,
    aliases=("container commit", "commit"),
)
