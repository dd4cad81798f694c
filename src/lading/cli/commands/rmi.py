"""`lading rmi`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.platform import FORM_HELP, platform_query
from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_NOT_FOUND = 404


def run(session: Session, given: Given) -> int:
    query = [("force", "1")] if given["force"] else []
    if given["no-prune"]:
        query.append(("noprune", "1"))
    for platform in ",".join(given["platform"]).split(","):
        query += platform_query("platforms", platform)
    failures = []
    code = 0
    for name in given.operands:
        try:
            changes = session.client.call("DELETE", f"/images/{name}", query).json()
        except ApiError as refusal:
            failures.append(f"Error response from daemon: {refusal.message}")
            if not (given["force"] and refusal.status == _NOT_FOUND):
                code = 1
            continue
        for change in changes:
            kind, what = next(iter(change.items()))
            out(f"{kind}: {what}")
    if failures:
        err("\n".join(failures))
    return code


COMMAND = Command(
    "rmi",
    "IMAGE [IMAGE...]",
    "Remove one or more images",
    (
        Flag("force", "f", "", "Force removal of the image"),
        Flag("no-prune", "", "", "Do not delete untagged parents"),
        Flag(
            "platform",
            "",
            "strings",
            f"Remove only the given platform variant. {FORM_HELP}",
            gathers=True,
            since="1.50",
        ),
    ),
    run,
    least=1,
    aliases=("image rm", "image remove", "rmi"),
)
