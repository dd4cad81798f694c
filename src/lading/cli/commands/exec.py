"""`lading exec`."""

from __future__ import annotations

from lading.cli import terminal
from lading.cli.attached import check_terminal, first_resize, try_resize
from lading.cli.command import Command
from lading.cli.detach_keys import parse_detach_keys
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.run_options.process import environment_list, read_variable
from lading.cli.streams import Conversation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session
    from lading.client import Client


def exec_body(given: Given, console: tuple[int, int]) -> dict[str, Any]:
    """The body of POST /containers/{id}/exec (Engine API 1.51)."""
    attached = not given["detach"]
    body: dict[str, Any] = {
        "User": given["user"],
        "Privileged": given["privileged"],
        "Tty": given["tty"],
        "AttachStdin": attached and given["interactive"],
        "AttachStderr": attached,
        "AttachStdout": attached,
        "Detach": given["detach"],
        "DetachKeys": given["detach-keys"],
        "Env": environment_list(given) or None,
        "WorkingDir": given["workdir"],
        "Cmd": given.operands[1:],
    }
    if given["tty"] and console != (0, 0):
        body["ConsoleSize"] = list(console)
    return body


def run(session: Session, given: Given) -> int:
    client, name = session.client, given.operands[0]
    console = terminal.size()
    body = exec_body(given, console)
    body["DetachKeys"] = session.detach_keys(given)
    # An unknown container is a clearer complaint than whatever the exec would fail of.
    client.get(f"/containers/{name}/json")
    if not given["detach"]:
        check_terminal(body["AttachStdin"], body["Tty"])
    identifier = client.call("POST", f"/containers/{name}/exec", (), body).json()["Id"]
    if given["detach"]:
        client.call("POST", f"/exec/{identifier}/start", (), {"Detach": True, "Tty": given["tty"]})
        return 0
    return _talk(client, identifier, body)


def _talk(client: Client, identifier: str, body: dict[str, Any]) -> int:
    start = {"Detach": False, "Tty": body["Tty"]}
    if "ConsoleSize" in body:
        start["ConsoleSize"] = body["ConsoleSize"]
    channel = client.upgrade(f"/exec/{identifier}/start", (), start)
    resizes = body["Tty"] and terminal.is_terminal(1)

    def resize() -> bool:
        return try_resize(client, f"/exec/{identifier}", *terminal.size())

    conversation = Conversation(
        channel,
        tty=body["Tty"],
        stdin=body["AttachStdin"],
        detach_keys=parse_detach_keys(body["DetachKeys"]) if terminal.is_terminal(0) else b"",
        on_resize=resize if resizes else None,
    )
    try:
        conversation.run((lambda: first_resize(resize)) if resizes else None)
    finally:
        channel.close()
    if conversation.detached:
        raise CommandFailed("read escape sequence")
    return int(client.get(f"/exec/{identifier}/json")["ExitCode"] or 0)


COMMAND = Command(
    "exec",
    "CONTAINER COMMAND [ARG...]",
    "Run a command in a running container",
    (
        Flag("detach", "d", "", "Leave the command running in the background"),
        Flag("detach-keys", "", "string", "Keys that detach: ctrl-p,ctrl-q by default"),
        Flag("env", "e", "list", "Set an environment variable", check=read_variable, since="1.25"),
        Flag("env-file", "", "list", "Take environment variables from a file", since="1.25"),
        Flag("interactive", "i", "", "Attach to stdin"),
        Flag("privileged", "", "", "Switch isolation off for the command"),
        Flag("tty", "t", "", "Give the command a terminal"),
        Flag("user", "u", "string", "User to run as: <name|uid>[:<group|gid>]"),
        Flag("workdir", "w", "string", "Working directory inside the container", since="1.35"),
    ),
    run,
    least=2,
    aliases=("container exec", "exec"),
    interspersed=False,
)
