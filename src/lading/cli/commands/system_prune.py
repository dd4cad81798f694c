"""`lading system prune`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.confirm import confirm
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import check_filter
from lading.cli.pruning import KINDS, prune, prune_filters
from lading.cli.say import err, out
from lading.client import ApiError
from lading.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lading.cli.flags import Given
    from lading.cli.session import Session

_NOT_IMPLEMENTED = (404, 501)


def run(session: Session, given: Given) -> int:
    filters, everything = prune_filters(session.config, given["filter"]), given["all"]
    if given["volumes"] and any(text.partition("=")[0] == "until" for text in filters):
        raise CommandFailed('ERROR: The "until" filter is not supported with "--volumes"')
    kinds = [kind for kind in KINDS if kind != "volumes" or given["volumes"]]
    if not session.client.at_least("1.31"):
        kinds.remove("build cache")
    if not given["force"]:
        confirm(_warning(kinds, filters, everything))
    space, code = 0, 0
    for kind in kinds:
        try:
            pruned = prune(session.client, kind, filters, everything)
        except ApiError as refusal:
            if refusal.status not in _NOT_IMPLEMENTED:
                raise
            err(f"WARNING: this engine cannot prune {kind}: {refusal.message}")
            # An engine that cannot build has no cache of builds either.
            code = code if kind == "build cache" else 1
            continue
        space += pruned.space
        if pruned.text:
            out(pruned.text)
    out(f"Total reclaimed space: {human_size(space)}")
    return code


def _warning(kinds: Sequence[str], filters: Sequence[str], everything: bool) -> str:
    texts = {
        "containers": "all stopped containers",
        "networks": "all networks not used by at least one container",
        "volumes": "all anonymous volumes not used by at least one container",
        "images": "all dangling images",
        "build cache": "unused build cache",
    }
    if everything:
        texts["images"] = "all images without at least one container associated to them"
        texts["build cache"] = "all build cache"
    lines = ["WARNING! This will remove:", *(f"  - {texts[kind]}" for kind in kinds), ""]
    known = sorted({text for text in filters if text.partition("=")[0] in ("label", "label!", "until")})
    if known:
        lines += ["  Items to be pruned will be filtered with:", *(f"  - {text}" for text in known), ""]
    return "\n".join(lines)


COMMAND = Command(
    "system prune",
    "",
    "Remove unused data",
    (
        Flag("all", "a", "", "Remove all unused images not just dangling ones"),
        Flag(
            "filter",
            "",
            "filter",
            'Provide filter values (e.g. "label=<key>=<value>")',
            gathers=True,
            check=check_filter,
            since="1.28",
        ),
        Flag("force", "f", "", "Do not prompt for confirmation"),
        Flag("volumes", "", "", "Prune anonymous volumes"),
    ),
    run,
    most=0,
)
