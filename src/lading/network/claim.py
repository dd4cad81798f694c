"""One daemon for each bridge: the next one would take its containers' links for strays."""

import socket

from lading.errors import Conflict


class Claim:
    """Holds a bridge of this network namespace; the kernel lets go of it when the process ends."""

    def __init__(self, bridge: str) -> None:
        """Raises Conflict where another daemon has it."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(f"\0lading/bridge/{bridge}")
        except OSError:
            self._socket.close()
            raise Conflict(
                f"another daemon runs the bridge {bridge}; give this one its own with --bridge and --bip"
            ) from None

    def release(self) -> None:
        """Lets another daemon have it."""
        self._socket.close()
