"""`lading network disconnect`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    network, container = given.operands
    body = {"Container": container, "Force": given["force"]}
    session.client.call("POST", f"/networks/{network}/disconnect", body=body)


COMMAND = Command(
    "network disconnect",
    "NETWORK CONTAINER",
    "Disconnect a container from a network",
    (Flag("force", "f", "", "Force the container to disconnect from a network"),),
    run,
    least=2,
    most=2,
)
