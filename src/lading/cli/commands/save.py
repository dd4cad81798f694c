"""`lading save`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.output_file import check_output, deliver
from lading.cli.platform import FORM_HELP, platform_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["output"]
    platform = platform_query("platform", given["platform"], "invalid platform: ")
    check_output(path, "failed to save image")
    query = [*(("names", name) for name in given.operands), *platform]
    answer = session.client.stream("GET", "/images/get", query)
    deliver(answer, path)


COMMAND = Command(
    "save",
    "IMAGE [IMAGE...]",
    "Save one or more images to a tar archive (streamed to STDOUT by default)",
    (
        Flag("output", "o", "string", "Write to a file, instead of STDOUT"),
        Flag(
            "platform",
            "",
            "string",
            f"Save only the given platform variant. {FORM_HELP}",
            since="1.48",
        ),
    ),
    run,
    least=1,
    aliases=("image save", "save"),
)
