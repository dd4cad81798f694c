"""`lading volume prune`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.confirm import confirm
from lading.cli.errors import CommandFailed
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
    filters, which = prune_filters(session.config, given["filter"]), "anonymous "
    if given["all"]:
        if any(text.partition("=")[0].strip().lower() == "all" for text in filters):
            raise CommandFailed("conflicting options: cannot specify both --all and --filter all=1")
        filters.append("all=true")
    if given["all"] or not session.client.at_least("1.42"):
        which = "all "
    if not given["force"]:
        confirm(f"WARNING! This will remove {which}local volumes not used by at least one container.")
    pruned = prune(session.client, "volumes", filters)
    if pruned.text:
        out(pruned.text)
    out(f"Total reclaimed space: {human_size(pruned.space)}")


COMMAND = Command(
    "volume prune",
    "",
    "Remove unused local volumes",
    (
        Flag("all", "a", "", "Remove all unused volumes, not just anonymous ones", since="1.42"),
        Flag(
            "filter",
            "",
            "filter",
            'Provide filter values (e.g. "label=<label>")',
            gathers=True,
            check=check_filter,
        ),
        Flag("force", "f", "", "Do not prompt for confirmation"),
    ),
    run,
    most=0,
)
