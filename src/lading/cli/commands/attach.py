"""`lading attach`."""

from __future__ import annotations

from lading.cli.attached import Attachment, check_terminal
from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.waiting import Ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    client, name = session.client, given.operands[0]
    ending = Ending(client, name, "")
    container = client.get(f"/containers/{name}/json")
    _check_running(container["State"])
    config = container["Config"]
    stdin = not given["no-stdin"] and config["OpenStdin"]
    check_terminal(stdin, config["Tty"])
    attachment = Attachment(
        client,
        name,
        tty=config["Tty"],
        streams=("stdin", "stdout", "stderr") if stdin else ("stdout", "stderr"),
        detach_keys=session.detach_keys(given),
    )

    def started() -> None:
        if config["Tty"]:
            attachment.redraw()

    if attachment.talk(sig_proxy=given["sig-proxy"] and not config["Tty"], started=started):
        raise CommandFailed("read escape sequence")
    return ending.code()


def _check_running(state: dict[str, Any]) -> None:
    if not state["Running"]:
        raise CommandFailed("cannot attach to a stopped container, start it first")
    if state["Paused"]:
        raise CommandFailed("cannot attach to a paused container, unpause it first")
    if state["Restarting"]:
        raise CommandFailed("cannot attach to a restarting container, wait until it is running")


COMMAND = Command(
    "attach",
    "CONTAINER",
    "Connect stdin, stdout and stderr to a running container",
    (
        Flag("detach-keys", "", "string", "Keys that detach: ctrl-p,ctrl-q by default"),
        Flag("no-stdin", "", "", "Leave stdin alone"),
        Flag("sig-proxy", "", "", "Hand signals on to the container's program", default=True),
    ),
    run,
    least=1,
    most=1,
    aliases=("container attach", "attach"),
)
