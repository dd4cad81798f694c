"""Sockets to listen on."""

import grp
import os
import socket
import ssl
import stat
from dataclasses import dataclass

from lading.errors import Conflict, InternalError, InvalidParameter

BACKLOG = 512
KEEPALIVE = 15
"""Seconds between probes of a silent TCP connection."""

_FIRST_INHERITED = 3


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the server's certificate, its key and the clients' CA lie (PEM)."""

    certificate: str
    key: str
    authority: str
    demand_client_certificate: bool

    def context(self) -> ssl.SSLContext:
        """Raises InvalidParameter where a file is missing or is not what it should be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
            if self.demand_client_certificate:
                context.load_verify_locations(self.authority)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise InvalidParameter(
                f"cannot load the TLS files {self.certificate}, {self.key}, {self.authority}: {error}"
            ) from None
        context.set_alpn_protocols(["http/1.1"])
        return context


def _no_password() -> str:
    # Without this, OpenSSL would ask whoever sits at the terminal.
    raise ssl.SSLError(0, "the key is encrypted; the engine takes a key without a passphrase")


def listen_unix(path: str, group: str = "") -> socket.socket:
    """A listening UNIX socket, mode 0660, owned by `group` where there is one.

    A socket nobody answers on any more is replaced. Raises Conflict where
    somebody does, InvalidParameter for a named group that does not exist.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear_stale(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        mask = os.umask(0o777 & ~0o660)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        os.chown(path, 0, _group_id(group))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InternalError(f"can't create unix socket {path}: {error.strerror or error}") from None
    except BaseException:
        listener.close()
        raise
    return listener


def _clear_stale(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                raise InternalError(
                    f"can't create unix socket {path}: a file that is no socket is in its place"
                )
            probe.connect(path)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except TimeoutError:
            pass
    raise Conflict(f"another engine already listens on {path}")


def _group_id(name: str) -> int:
    candidates = [name] if name else ["lading", "docker"]
    for candidate in candidates:
        try:
            return grp.getgrnam(candidate).gr_gid
        except KeyError:
            continue
    if name:
        raise InvalidParameter(f"could not change the group of the socket to {name}: group {name} not found")
    return 0


def listen_tcp(host: str, port: int) -> list[socket.socket]:
    """Listening TCP sockets, one for each address of `host`. Raises InternalError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InternalError(f"can't listen on {host}:{port}: {error.strerror}") from None
    listeners = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        listener = socket.socket(family, kind, protocol)
        listeners.append(listener)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit it: a client whose host died is noticed within some minutes.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            for opened in listeners:
                opened.close()
            raise InternalError(f"listen tcp {host}:{port}: bind: {error.strerror}") from None
    return listeners


def inherited_sockets(name: str = "") -> list[socket.socket]:
    """The sockets systemd passed to this process (sd_listen_fds(3)), all or those named `name`.

    Raises InvalidParameter where there are none.
    """
    count = int(os.environ.get("LISTEN_FDS", "0")) if os.environ.get("LISTEN_PID") == str(os.getpid()) else 0
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    chosen = [
        socket.socket(fileno=_FIRST_INHERITED + index)
        for index in range(count)
        if not name or (index < len(names) and names[index] == name)
    ]
    if not chosen:
        raise InvalidParameter("no sockets found via socket activation: was this started by systemd?")
    for listener in chosen:
        os.set_inheritable(listener.fileno(), False)
    return chosen
