"""`lading tag`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    source, target = given.operands
    for operand in (source, target):
        try:
            reference = parse_reference(operand)
        except CommandFailed as failure:
            if operand == source and len(source) == 64:
                continue
            raise CommandFailed(
                f'Error parsing reference: "{operand}" is not a valid repository/tag: {failure.message}'
            ) from None
    if reference.digest:
        raise CommandFailed("refusing to create a tag with a digest reference")
    query = [("repo", reference.name), ("tag", reference.tag or "latest")]
    session.client.call("POST", f"/images/{source}/tag", query)


COMMAND = Command(
    "tag",
    "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    (),
    run,
    least=2,
    most=2,
    aliases=("image tag", "tag"),
)
