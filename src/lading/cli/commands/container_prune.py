"""`lading container prune`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.confirm import confirm
from lading.cli.flags import Flag
from lading.cli.listing import check_filter
from lading.cli.pruning import prune, prune_filters
from lading.cli.say import out
from lading.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    if not given["force"]:
        confirm("WARNING! This will remove all stopped containers.")
    pruned = prune(session.client, "containers", prune_filters(session.config, given["filter"]))
    if pruned.text:
        out(pruned.text)
    out(f"Total reclaimed space: {human_size(pruned.space)}")


COMMAND = Command(
    "container prune",
    "",
    "Remove all containers that do not run",
    (
        Flag(
            "filter",
            "",
            "filter",
            "Only what fits: label=…, label!=…, until=…",
            gathers=True,
            check=check_filter,
        ),
        Flag("force", "f", "", "Do not ask"),
    ),
    run,
    most=0,
)
