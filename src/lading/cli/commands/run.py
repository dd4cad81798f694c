"""`lading run`: create, attach, wait, start, and stay until the end."""

from __future__ import annotations

from lading.cli import terminal
from lading.cli.attached import Attachment, check_terminal
from lading.cli.command import Command
from lading.cli.creating import FLAGS as CREATING_FLAGS
from lading.cli.creating import check_pull, create_container
from lading.cli.errors import CommandFailed, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options import FLAGS, build_body
from lading.cli.say import err, out
from lading.cli.waiting import Ending
from lading.client import ApiError, ClientError, ConnectionLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session
    from lading.client import Client

_NOT_FOUND_WORDS = (
    "executable file not found",
    "no such file or directory",
    "system cannot find the file specified",
)
_NOT_EXECUTABLE_WORDS = ("permission denied", "is a directory")
_FAILED, _NOT_EXECUTABLE, _NOT_FOUND = 125, 126, 127
_STREAMS = (("AttachStdin", "stdin"), ("AttachStdout", "stdout"), ("AttachStderr", "stderr"))


def run(session: Session, given: Given) -> int:
    try:
        check_pull(given)
        body = build_body(given)
    except UsageError as error:
        return _fail(error.message, error.code)
    _prepare_streams(given, body)
    try:
        container = create_container(session, given, body)
    except CommandFailed as failure:
        return _fail(f"lading: {failure.message}", _FAILED)
    except ApiError as refusal:
        return _fail(f"lading: Error response from daemon: {refusal.message}", _FAILED)
    except ClientError as failure:
        return _fail(f"lading: {failure.message}", _FAILED)
    if given["detach"]:
        return _run_detached(session.client, container)
    return _run_attached(session, container, given, body)


def _prepare_streams(given: Given, body: dict[str, Any]) -> None:
    """Raises CommandFailed."""
    if given["detach"]:
        if given["attach"]:
            raise CommandFailed("conflicting options: cannot specify both --attach and --detach")
        for field, _ in _STREAMS:
            body[field] = False
        body["StdinOnce"] = False
    else:
        check_terminal(body["AttachStdin"], body["Tty"])
    body["HostConfig"]["ConsoleSize"] = list(terminal.size())


def _run_detached(client: Client, container: str) -> int:
    try:
        client.call("POST", f"/containers/{container}/start")
    except ApiError as refusal:
        return _start_failed(refusal)
    out(container)
    return 0


def _run_attached(session: Session, container: str, given: Given, body: dict[str, Any]) -> int:
    client = session.client
    streams = tuple(stream for field, stream in _STREAMS if body[field])
    attachment = Attachment(
        client, container, tty=body["Tty"], streams=streams, detach_keys=session.detach_keys(given)
    )
    ending = Ending(client, container, "removed" if given["rm"] else "next-exit")

    def start() -> None:
        client.call("POST", f"/containers/{container}/start")

    try:
        detached = attachment.talk(sig_proxy=given["sig-proxy"], started=start)
    except ApiError as refusal:
        attachment.close()
        return _start_failed(refusal)
    except ConnectionLost as loss:
        err(f"lading: {loss.message}")
        return _FAILED
    if detached:
        return 0
    return ending.code()


def _start_failed(refusal: ApiError) -> int:
    return _fail(
        f"lading: Error response from daemon: {refusal.message}", start_failure_code(refusal.message)
    )


def start_failure_code(message: str) -> int:
    """The exit code that a reason for not starting stands for, as shells number them."""
    if any(words in message for words in _NOT_FOUND_WORDS):
        return _NOT_FOUND
    if any(words in message for words in _NOT_EXECUTABLE_WORDS):
        return _NOT_EXECUTABLE
    return _FAILED


def _fail(message: str, code: int) -> int:
    err(f"{message}\n\nRun 'lading run --help' for more information")
    return code


COMMAND = Command(
    "run",
    "IMAGE [COMMAND] [ARG...]",
    "Make a container from an image and start it",
    (
        *FLAGS,
        *CREATING_FLAGS,
        Flag("detach", "d", "", "Leave it running in the background and print its ID"),
        Flag("detach-keys", "", "string", "Keys that detach: ctrl-p,ctrl-q by default"),
        Flag("sig-proxy", "", "", "Hand signals on to the container's program", default=True),
    ),
    run,
    least=1,
    aliases=("container run", "run"),
    interspersed=False,
)
