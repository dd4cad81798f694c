"""Where and how a container's log is sent, as plain values. Pure."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from lading.logs.contract import Entry
from lading.logs.servers.address import Address

COMMON = frozenset({"env", "env-regex", "labels", "labels-regex", "tag"})
"""The options every log server's driver has."""


class Origin(Struct, frozen=True):
    """Who sends: the host's name, the daemon's process, and a number no other daemon uses."""

    hostname: str
    pid: int
    nonce: int = 0


class Tls(Struct, frozen=True):
    """Files in PEM, empty for none: the CA (else the system's), our certificate and its key."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True
    server_name: str = ""


class Encoder(Protocol):
    """How a protocol spells entries."""

    def encode(self, entries: Sequence[Entry]) -> list[bytes]:
        """What to send, in order: on a stream one after another, else a datagram, or a request, each."""
        ...

    def acknowledgement(self) -> bytes:
        """What the server answers to what was encoded last; empty where it answers nothing."""
        ...


class Silent:
    """An encoder's part where the server answers nothing."""

    def acknowledgement(self) -> bytes:
        return b""


class Collector(Struct, frozen=True):
    """An HTTP service that takes each batch as the body of a POST to `url`.

    `probe` is whether an OPTIONS request has to succeed before a container starts.
    """

    url: str
    headers: dict[str, str]
    probe: bool


class Plan(Struct, frozen=True, kw_only=True):
    """`address` or `collector` is given; the address "local" of a network "syslog" is the host's own socket.

    `eager` is whether a container must not start while the server is away;
    `refusal` how docker words that, with the error as {}. `retry_ns` is the
    least time between two attempts to connect.
    """

    encoder: Encoder
    address: Address = Address("")
    collector: Collector | None = None
    tls: Tls | None = None
    eager: bool = True
    refusal: str = "{}"
    retry_ns: int = 0
