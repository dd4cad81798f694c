"""`lading volume export`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.output_file import check_output, deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    path = given["output"]
    check_output(path, "failed to export volume")
    query = [("compression", given["compression"] or ("zstd" if path.endswith(".zst") else "none"))]
    query += [("force", "1")] if given["force"] else []
    answer = session.client.stream("GET", f"/lading/volumes/{given.operands[0]}/archive", query)
    deliver(answer, path)


COMMAND = Command(
    "volume export",
    "VOLUME",
    "Write the files of a volume as a tar archive",
    (
        Flag("compression", "", "string", '"none" or "zstd"; as the name of the file says by default'),
        Flag("force", "f", "", "Also while running containers use it"),
        Flag("output", "o", "string", "Write to a file, instead of STDOUT"),
    ),
    run,
    least=1,
    most=1,
)
