"""Where an engine listens, as `-H` and `DOCKER_HOST` spell it."""

from __future__ import annotations

from lading.client.errors import BadAddress

DEFAULT_SOCKET = "/run/lading.sock"
_PLAIN_PORT = 2375
_TLS_PORT = 2376


class TlsFiles:
    """The PEM files of a TLS connection; an empty path means "none"."""

    __slots__ = ("authority", "certificate", "key", "verify")

    def __init__(self, authority: str, certificate: str, key: str, verify: bool) -> None:
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.verify = verify


class Address:
    """One engine's address: a UNIX socket's path, or a host with a port."""

    __slots__ = ("host", "path", "port", "text")

    def __init__(self, text: str, path: str = "", host: str = "", port: int = 0) -> None:
        self.text = text
        self.path = path
        self.host = host
        self.port = port


def parse_address(text: str, tls: bool = False) -> Address:
    """Reads "unix:///run/lading.sock", "tcp://host:2376" or "host:port".

    Raises BadAddress.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "tcp", text
    if scheme == "unix":
        return Address(f"unix://{rest or DEFAULT_SOCKET}", path=rest or DEFAULT_SOCKET)
    if scheme not in ("tcp", "http", "https"):
        raise BadAddress(f'unable to parse host "{text}": only unix:// and tcp:// addresses are understood')
    host, port = _host_and_port(text, rest.partition("/")[0], _TLS_PORT if tls else _PLAIN_PORT)
    return Address(text if separator else f"tcp://{text}", host=host, port=port)


def _host_and_port(text: str, rest: str, default_port: int) -> tuple[str, int]:
    if rest.startswith("["):
        host, bracket, tail = rest[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise BadAddress(f'unable to parse host "{text}": a bracket is not closed')
        port = tail[1:]
    else:
        host, _, port = rest.partition(":")
    if not port:
        return host or "127.0.0.1", default_port
    if not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise BadAddress(f'unable to parse host "{text}": "{port}" is not a port')
    return host or "127.0.0.1", int(port)
