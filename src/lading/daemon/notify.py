"""Telling systemd how the daemon fares (sd_notify(3)); a no-op without systemd."""

import os
import socket


def notify(state: str) -> None:
    """Sends one assignment such as `READY=1`; failure to reach systemd is not ours to mend."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(state.encode(), address)
        except OSError:
            pass
