"""`lading port`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.ports_view import host_and_port
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    container = given.operands[0]
    ports = session.client.get(f"/containers/{container}/json")["NetworkSettings"]["Ports"] or {}
    if len(given.operands) == 1:
        lines = [
            f"{port} -> {host_and_port(binding['HostIp'], binding['HostPort'])}"
            for port, bindings in ports.items()
            for binding in bindings or ()
        ]
        if lines:
            out("\n".join(sorted(lines, key=_numeric)))
        return
    wanted = given.operands[1]
    number, slash, _ = wanted.partition("/")
    if not number.isdecimal():
        raise CommandFailed(
            f'Error: invalid port ({number}): strconv.ParseUint: parsing "{number}": invalid syntax'
        )
    bindings = ports.get(wanted if slash else f"{wanted}/tcp")
    if not bindings:
        raise CommandFailed(f"Error: No public port '{wanted}' published for {container}")
    out("\n".join(host_and_port(binding["HostIp"], binding["HostPort"]) for binding in bindings))


def _numeric(line: str) -> list[tuple[bool, int, str]]:
    """A sort key that puts 80 before 443."""
    words = line.replace("/", " ").replace(":", " ").split()
    return [(not word.isdecimal(), int(word) if word.isdecimal() else 0, word) for word in words]


COMMAND = Command(
    "port",
    "CONTAINER [PRIVATE_PORT[/PROTO]]",
    "Show where a container's ports are published",
    (),
    run,
    least=1,
    most=2,
    aliases=("container port", "port"),
)
