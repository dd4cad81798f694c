"""`lading network rm`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.confirm import confirm
from lading.cli.errors import Exit
from lading.cli.flags import Flag
from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_INGRESS = (
    "WARNING! Before removing the routing-mesh network, make sure all the nodes in your swarm run the same "
    "docker engine version. Otherwise, removal may not be effective and functionality of newly create "
    "ingress networks will be impaired."
)
_NOT_FOUND = 404


def run(session: Session, given: Given) -> int:
    code = 0
    for name in given.operands:
        if _is_ingress(session, name):
            try:
                confirm(_INGRESS)
            except Exit:
                continue
        try:
            session.client.call("DELETE", f"/networks/{name}")
        except ApiError as refusal:
            if given["force"] and refusal.status == _NOT_FOUND:
                continue
            err(f"Error response from daemon: {refusal.message}")
            code = 1
        else:
            out(name)
    return code


def _is_ingress(session: Session, name: str) -> bool:
    try:
        return bool(session.client.get(f"/networks/{name}").get("Ingress"))
    except ApiError:
        return False


COMMAND = Command(
    "network rm",
    "NETWORK [NETWORK...]",
    "Remove one or more networks",
    (Flag("force", "f", "", "Do not error if the network does not exist"),),
    run,
    least=1,
    aliases=("network rm", "network remove"),
)
