"""`lading logout`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.config.auths import HUB, host_of
from lading.cli.config.store import forget
from lading.cli.errors import CommandFailed
from lading.cli.say import err, out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    config = session.config
    if config.broken:
        raise CommandFailed(f"{config.broken}; nothing can be removed from it")
    server = given.operands[0] if given.operands else HUB
    host = server if server == HUB else host_of(server)
    # Older clients wrote whole addresses as keys.
    keys = [HUB] if server == HUB else dict.fromkeys((server, host, f"http://{host}", f"https://{host}"))
    out(f"Removing login credentials for {host}")
    failures = {}
    for key in keys:
        try:
            forget(config, key)
        except CommandFailed as failure:
            failures[key] = failure.message
    if len(failures) == len(keys):
        err("WARNING: could not erase credentials:")
        for key, message in failures.items():
            err(f"{key}: {message}")


COMMAND = Command(
    "logout",
    "[SERVER]",
    "Log out from a registry",
    (),
    run,
    most=1,
    details="Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
)
