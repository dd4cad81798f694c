"""`lading import`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.input_file import open_input, pieces_of
from lading.cli.progress import show
from lading.cli.reference import parse_reference
from lading.cli.session import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    source = given.operands[0]
    query = [("changes", change) for change in given["change"]]
    if source == "-":
        descriptor, from_source = 0, "-"
    elif source.startswith(("http://", "https://")):
        descriptor, from_source = -1, source
    else:
        from_source = "-"
        descriptor = open_input(source)
    query.append(("fromSrc", from_source))
    if given["message"]:
        query.append(("message", given["message"]))
    platform = given["platform"] or environment("DOCKER_DEFAULT_PLATFORM")
    if platform:
        query.append(("platform", platform.lower()))
    if len(given.operands) > 1:
        parse_reference(given.operands[1])
        query.append(("repo", given.operands[1]))
    pieces = pieces_of(descriptor) if descriptor >= 0 else iter(())
    answer = session.client.upload("/images/create", query, pieces, "text/plain")
    failure = show(answer.objects(), descriptor=1)
    if failure:
        raise CommandFailed(failure)


COMMAND = Command(
    "import",
    "file|URL|- [REPOSITORY[:TAG]]",
    "Import the contents from a tarball to create a filesystem image",
    (
        Flag("change", "c", "list", "Apply Dockerfile instruction to the created image"),
        Flag("message", "m", "string", "Set commit message for imported image"),
        Flag("platform", "", "string", "Set platform if server is multi-platform capable", since="1.32"),
    ),
    run,
    least=1,
    aliases=("image import", "import"),
)
