"""Being in a container's network namespace for as long as it takes to open a socket.

A socket stays in the namespace it was made in. Source: setns(2), network_namespaces(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable

from lading.dns import redirect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_NETFILTER = 12
_ADDRESS = "127.0.0.11"
USUAL_PORT = 61053
"""Beyond those that the kernel gives to programs that ask for any."""
_BACKLOG = 64
_BUFFER = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A container's namespace, and the way back to our own."""

    def __init__(self, path: str, home: int) -> None:
        """`home` is a descriptor of our own namespace. Raises OSError."""
        self._home = home
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._file)
        self._identity = status.st_dev, status.st_ino
        self.path = path

    def close(self) -> None:
        """Lets go of it; with our sockets in it closed it may end."""
        os.close(self._file)

    @property
    def current(self) -> bool:
        """Whether it is still what its path leads to."""
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def inside(self, work: Callable[[], T]) -> T:
        """Runs `work` in the namespace. Raises OSError."""
        _enter(self._file)
        try:
            return work()
        finally:
            try:
                _enter(self._home)
            except OSError:
                # Lost in a container's namespace there is nothing to be done right any more.
                os._exit(1)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def listen() -> tuple[socket.socket, socket.socket]:
    """A socket for datagrams and one for connections, to which port 53 leads. Raises OSError.

    To be called inside the namespace.
    """
    for port in (USUAL_PORT, 0, 0, 0):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connections = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            connections.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connections.bind((_ADDRESS, port))
            found = connections.getsockname()[1]
            datagrams.bind((_ADDRESS, found))
            connections.listen(_BACKLOG)
        except OSError:
            datagrams.close()
            connections.close()
            continue
        try:
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            datagrams.setblocking(False)
            connections.setblocking(False)
            _lead_to(found)
        except OSError:
            datagrams.close()
            connections.close()
            raise
        return datagrams, connections
    raise OSError(f"no port is free on {_ADDRESS}")


def _lead_to(port: int) -> None:
    # A resolver before us mostly had the same port. Asked first, for a refused batch takes the kernel 10 ms.
    if not _carry_out(redirect.ask(port)):
        return
    code = _carry_out(redirect.put(port))
    if code == errno.EEXIST:
        code = _carry_out(redirect.replace(port))
    if code:
        raise OSError(code, f"nftables: {os.strerror(code)}")


def _carry_out(message: bytes) -> int:
    """The kernel's first word on it; more may follow, so that each has a socket of its own."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as kernel:
        kernel.bind((0, 0))
        kernel.send(message)
        return redirect.refusal(kernel.recv(8192))
