"""`lading network prune`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.confirm import confirm
from lading.cli.flags import Flag
from lading.cli.listing import check_filter
from lading.cli.pruning import prune, prune_filters
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    if not given["force"]:
        confirm("WARNING! This will remove all custom networks not used by at least one container.")
    pruned = prune(session.client, "networks", prune_filters(session.config, given["filter"]))
    if pruned.text:
        out(pruned.text)


COMMAND = Command(
    "network prune",
    "",
    "Remove all unused networks",
    (
        Flag(
            "filter",
            "",
            "filter",
            'Provide filter values (e.g. "until=<timestamp>")',
            gathers=True,
            check=check_filter,
        ),
        Flag("force", "f", "", "Do not prompt for confirmation"),
    ),
    run,
    most=0,
)
