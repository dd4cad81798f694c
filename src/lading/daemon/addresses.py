"""What `-H` accepts. Pure."""

from dataclasses import dataclass

from lading.errors import InvalidParameter

PLAIN_PORT = 2375
TLS_PORT = 2376


@dataclass(frozen=True, slots=True)
class UnixAddress:
    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class InheritedSockets:
    """Sockets passed by systemd; `name` picks one, empty takes all."""

    name: str

    def __str__(self) -> str:
        return f"fd://{self.name}"


Address = UnixAddress | TcpAddress | InheritedSockets


def parse_address(text: str, *, tls: bool) -> Address:
    """Reads one `-H` value. Raises InvalidParameter."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise InvalidParameter(
            f"invalid bind address format: {text}; use unix://PATH, tcp://HOST:PORT or fd://"
        )
    if scheme == "unix":
        if not rest.startswith("/"):
            raise InvalidParameter(f"invalid unix socket path: {text}; an absolute path is needed")
        return UnixAddress(rest)
    if scheme == "fd":
        return InheritedSockets(rest.strip("*"))
    if scheme == "tcp":
        return _tcp(rest, text, TLS_PORT if tls else PLAIN_PORT)
    raise InvalidParameter(f"invalid bind address format: {text}; use unix://PATH, tcp://HOST:PORT or fd://")


def _tcp(rest: str, text: str, default_port: int) -> TcpAddress:
    host, port = rest.rstrip("/"), ""
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    elif ":" in host:
        host, _, port = host.rpartition(":")
    if port and not (port.isdecimal() and int(port) < 65536):
        raise InvalidParameter(f"invalid bind address: {text}: invalid port {port!r}")
    return TcpAddress(host or "127.0.0.1", int(port) if port else default_port)
