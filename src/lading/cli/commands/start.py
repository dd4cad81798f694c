"""`lading start`."""

from __future__ import annotations

from lading.cli.attached import Attachment, check_terminal
from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.say import err, out
from lading.cli.waiting import Ending
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> int:
    if given["attach"] or given["interactive"]:
        if len(given.operands) > 1:
            raise CommandFailed("you cannot start and attach multiple containers at once")
        return _start_attached(session, given)
    failed = []
    query = _checkpoint_query(given)
    for name in given.operands:
        try:
            session.client.call("POST", f"/containers/{name}/start", query)
        except ApiError as refusal:
            err(f"Error response from daemon: {refusal.message}")
            failed.append(name)
        else:
            out(name)
    if failed:
        err(f"Error: failed to start containers: {', '.join(failed)}")
    return 1 if failed else 0


def _checkpoint_query(given: Given) -> list[tuple[str, str]]:
    names = (("checkpoint", "checkpoint"), ("checkpoint-dir", "checkpoint-dir"))
    return [(parameter, given[flag]) for parameter, flag in names if given[flag]]


def _start_attached(session: Session, given: Given) -> int:
    client = session.client
    container = client.get(f"/containers/{given.operands[0]}/json")
    identifier, config = container["Id"], container["Config"]
    stdin = given["interactive"] and config["OpenStdin"]
    check_terminal(stdin, config["Tty"])
    streams = ("stdin", "stdout", "stderr") if stdin else ("stdout", "stderr")
    attachment = Attachment(
        client, identifier, tty=config["Tty"], streams=streams, detach_keys=session.detach_keys(given)
    )
    ending = Ending(client, identifier, "removed" if container["HostConfig"]["AutoRemove"] else "next-exit")

    def start() -> None:
        client.call("POST", f"/containers/{identifier}/start", _checkpoint_query(given))

    try:
        detached = attachment.talk(sig_proxy=given["attach"] and not config["Tty"], started=start)
    except ApiError:
        attachment.close()
        raise
    return 0 if detached else ending.code()


COMMAND = Command(
    "start",
    "CONTAINER [CONTAINER...]",
    "Start stopped containers",
    (
        Flag("attach", "a", "", "Attach to stdout and stderr and hand signals on"),
        Flag("checkpoint", "", "string", "Restore from this checkpoint", hidden=True),
        Flag("checkpoint-dir", "", "string", "Where checkpoints are", hidden=True),
        Flag("detach-keys", "", "string", "Keys that detach: ctrl-p,ctrl-q by default"),
        Flag("interactive", "i", "", "Attach to stdin"),
    ),
    run,
    least=1,
    aliases=("container start", "start"),
)
