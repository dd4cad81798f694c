"""What this room takes and gives. Pure."""

from dataclasses import dataclass

from lading.errors import LadingError


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, as in docker's AuthConfig (Engine API 1.51, "AuthConfig")."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""
    server_address: str = ""


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """What the daemon's settings say of registries."""

    mirrors: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ("::1/128", "127.0.0.0/8")
    """Host names with or without port, and networks in CIDR notation."""
    certificates: tuple[str, ...] = ("/etc/lading/certs.d", "/etc/docker/certs.d")
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    attempts: int = 5
    """How often a request is made at most, the first time included."""
    timeout: float = 30.0
    """Seconds without a byte after which a connection counts as broken."""
    pause: float = 0.5
    """Seconds before the second attempt, about doubled before each further one."""
    user_agent: str = "lading"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest or an index as it came; its digest is verified."""

    media_type: str
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Login:
    """A registry's answer to credentials."""

    status: str
    identity_token: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One repository found (Engine API 1.51, "ImageSearch")."""

    name: str
    description: str = ""
    star_count: int = 0
    is_official: bool = False
    is_automated: bool = False


class TooManyRequests(LadingError):
    """The registry's limit is reached."""

    status = 429


class Unreachable(LadingError):
    """No request got through: no such host, nobody listens, no trust."""


class Interrupted(LadingError):
    """A transfer broke off and can be gone on with.

    `retry_after` is in seconds, where the registry said so.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
