"""Host ports held by this process, so that no other program can take them.

The kernel forwards published ports before any socket sees them; a socket
bound here only keeps the port from others. So containers stay reachable while
the daemon is away, and only the claim has to be made again.
"""

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterable

from lading.errors import InternalError
from lading.network.ports import Lease, Wish, candidates

_log = logging.getLogger(__name__)

_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}
_UNKNOWN_TO_KERNEL = (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)


class Reservations:
    """The leases of all containers and the sockets that hold them."""

    def __init__(self) -> None:
        self._held: dict[Lease, socket.socket | None] = {}
        # Only leases of one port can clash, and a container may publish thousands of ports.
        self._of_port: dict[tuple[str, int], list[Lease]] = {}
        self._dynamic = _dynamic_ports()
        self._last = 0

    def take(self, wish: Wish, address: str) -> Lease:
        """Gets a host port for a container at `address`; raises InternalError in docker's words."""
        problem = ""
        for port in candidates(wish, self._dynamic, self._last):
            lease = Lease(wish.proto, wish.host_ip, port, wish.target)
            if any(lease.clashes(other) for other in self._of_port.get((lease.proto, port), ())):
                problem = f"Bind for {wish.host_ip}:{port} failed: port is already allocated"
                continue
            try:
                self._hold(lease, _claim(lease))
            except OSError as error:
                problem = (
                    f"failed to bind host port for {wish.host_ip}:{port}:{address}:"
                    f"{wish.target}/{wish.proto}: {_reason(error)}"
                )
                if error.errno != errno.EADDRINUSE:
                    raise InternalError(problem) from None
                continue
            if wish.any:
                self._last = port
            return lease
        if wish.first != wish.last or wish.any:
            problem = f"Bind for {wish} failed: all ports are allocated"
        raise InternalError(problem)

    def retake(self, leases: Iterable[Lease]) -> None:
        """Claims again what containers already have. Someone else may hold it by now; they go on."""
        for lease in leases:
            if lease in self._held:
                continue
            try:
                self._hold(lease, _claim(lease))
            except OSError as error:
                self._hold(lease, None)
                _log.warning(
                    "port %d/%s on %s leads to a container, but another program holds it too: %s",
                    lease.port,
                    lease.proto,
                    lease.host_ip,
                    _reason(error),
                )
            self.listen((lease,))

    def listen(self, leases: Iterable[Lease]) -> None:
        """To be called once the kernel forwards: only a listening port refuses those who ask to share it."""
        for lease in leases:
            held = self._held.get(lease)
            if held is not None and held.type == socket.SOCK_STREAM:
                with contextlib.suppress(OSError):
                    held.listen(1)

    def give_back(self, leases: Iterable[Lease]) -> None:
        """Frees ports. May be repeated."""
        for lease in leases:
            if lease not in self._held:
                continue
            held = self._held.pop(lease)
            if held is not None:
                held.close()
            place = (lease.proto, lease.port)
            self._of_port[place].remove(lease)
            if not self._of_port[place]:
                del self._of_port[place]

    def _hold(self, lease: Lease, held: socket.socket | None) -> None:
        self._held[lease] = held
        self._of_port.setdefault((lease.proto, lease.port), []).append(lease)

    def close(self) -> None:
        """Frees all ports; what the kernel forwards stays."""
        self.give_back(list(self._held))


def _claim(lease: Lease) -> socket.socket | None:
    kind, protocol = _KINDS[lease.proto]
    try:
        held = socket.socket(socket.AF_INET, kind, protocol)
    except OSError as error:
        if error.errno in _UNKNOWN_TO_KERNEL:
            # The kernel forwards SCTP also where it offers no sockets for it; then nobody can take the port.
            return None
        raise
    try:
        if kind == socket.SOCK_STREAM:
            # Connections of a program that has ended must not keep its port from us.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((lease.host_ip, lease.port))
    except OSError:
        held.close()
        raise
    return held


def _reason(error: OSError) -> str:
    text = os.strerror(error.errno or 0)
    return text[:1].lower() + text[1:]


def _dynamic_ports() -> range:
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            first, last = map(int, file.read().split())
    except (OSError, ValueError):
        return range(49153, 65536)
    return range(first, last + 1)
