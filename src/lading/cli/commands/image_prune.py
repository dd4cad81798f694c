"""`lading image prune`."""

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
    which = "images without at least one container associated to them" if given["all"] else "dangling images"
    if not given["force"]:
        confirm(f"WARNING! This will remove all {which}.")
    filters = prune_filters(session.config, given["filter"])
    pruned = prune(session.client, "images", filters, given["all"])
    if pruned.text:
        out(pruned.text)
    out(f"Total reclaimed space: {human_size(pruned.space)}")


COMMAND = Command(
    "image prune",
    "",
    "Remove unused images",
    (
        Flag("all", "a", "", "Remove all unused images, not just dangling ones"),
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
