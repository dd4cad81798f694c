"""Addresses of log servers, read as Go's url.Parse and net.SplitHostPort read them. Pure."""

from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from lading.errors import InvalidParameter
from lading.units import parse_whole


class Address(Struct, frozen=True):
    """`network` is "tcp", "tls" or "udp", or "unix" or "unixgram", which have a path, not host and port."""

    network: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        """As Go writes it in errors."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"


def split_url(text: str) -> SplitResult:
    """Raises InvalidParameter for what is no URL."""
    try:
        return urlsplit(text)
    except ValueError as error:
        raise InvalidParameter(f'parse "{text}": {error}') from None


def host_and_port(text: str, default: int | None = None) -> tuple[str, int]:
    """From "host:port" or "[address]:port"; `default` is the port where there is none.

    Raises InvalidParameter.
    """
    host, colon, port = text.rpartition(":")
    if text.endswith("]") or not colon:
        if default is None:
            raise InvalidParameter(f"address {text}: missing port in address")
        host, port = text, str(default)
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise InvalidParameter(f"address {text}: too many colons in address")
    number = parse_whole(port) if port.isdecimal() else None
    if number is None or number > 0xFFFF:
        raise InvalidParameter(f'address {text}: invalid port "{port}"')
    return host.removeprefix("[").removesuffix("]"), number
