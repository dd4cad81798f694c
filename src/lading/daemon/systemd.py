"""What systemd gives to a daemon it starts, and what it wants to hear. A no-op without systemd."""

import os
import socket
from collections.abc import Sequence

from lading.daemon.addresses import Address, InheritedSockets
from lading.http import inherited_sockets

_VARIABLES = ("NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


class Supervisor:
    """Whoever started this daemon.

    Its variables leave the environment and its sockets become ours alone: an
    OCI runtime that finds them takes them to be meant for the container.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        """Takes over the sockets that `addresses` name. Raises InvalidParameter where there are none."""
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self.sockets = {
            address: inherited_sockets(address.name)
            for address in addresses
            if isinstance(address, InheritedSockets)
        }
        for name in _VARIABLES:
            os.environ.pop(name, None)

    def notify(self, state: str) -> None:
        """Sends one assignment such as `READY=1` (sd_notify(3)); systemd out of reach is not ours to mend."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.sendto(state.encode(), address)
            except OSError:
                pass
