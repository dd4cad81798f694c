"""`lading create`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.creating import FLAGS as CREATING_FLAGS
from lading.cli.creating import check_pull, create_container
from lading.cli.errors import UsageError
from lading.cli.run_options import FLAGS, build_body
from lading.cli.say import err, out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    try:
        check_pull(given)
        body = build_body(given)
    except UsageError as error:
        err(f"{error.message}\n\nRun 'lading create --help' for more information")
        return error.code
    out(create_container(session, given, body))
    return 0


COMMAND = Command(
    "create",
    "IMAGE [COMMAND] [ARG...]",
    "Make a container without starting it",
    (*FLAGS, *CREATING_FLAGS),
    run,
    least=1,
    aliases=("container create", "create"),
    interspersed=False,
)
