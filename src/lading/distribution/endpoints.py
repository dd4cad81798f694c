"""Which servers stand for a registry, and whether one may be talked to in the clear. Pure.

Source: dockerd's reference, "insecure registries" and "registry mirrors".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from lading.errors import InvalidParameter

HUB = "docker.io"
HUB_ADDRESS = "https://index.docker.io/v1/"
_HUB_NAMES = ("docker.io", "index.docker.io", "registry-1.docker.io")
_HOST_AND_PORT = re.compile(r"([^:]*|\[.*\]):([0-9]*)\Z")
_DIGITS, _LAST_PORT = 5, 65535
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?\Z")
_HUB_URL = "https://registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server. `url` has a scheme and a host, and a path only where a mirror has one."""

    url: str
    mirror: bool = False
    verified: bool = True
    """Whether its certificate must be valid."""

    @property
    def host(self) -> str:
        """With the port, if it is not the scheme's own."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def private(self) -> bool:
        """Whether nobody else can hear, or pretend to be it."""
        return self.verified and self.url.startswith("https:")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: who a URL leads to; nobody has all three empty."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", "", 0
    return (parts.scheme, host, port) if host and parts.scheme in ("http", "https") else ("", "", 0)


def host_of(domain: str) -> str:
    """A registry's host without its port."""
    host = urlsplit("//" + domain).hostname
    return host or domain


def index_of(server_address: str) -> str:
    """The registry that a server address of a client's configuration means.

    `https://index.docker.io/v1/` and the empty one mean Docker Hub.
    """
    text = server_address.strip()
    if "://" in text:
        text = text.partition("://")[2]
    host = text.partition("/")[0]
    return HUB if host in ("", *_HUB_NAMES) else host


def is_insecure(domain: str, insecure: Iterable[str], addresses: Iterable[str]) -> bool:
    """Whether `domain` is named in `insecure`, or one of its `addresses` is in a network there."""
    if domain == HUB:
        return False
    found = [ip_address(address.partition("%")[0]) for address in addresses]
    for entry in insecure:
        if "/" not in entry:
            if entry == domain:
                return True
            continue
        network = ip_network(entry, strict=False)
        if any(address in network for address in found):
            return True
    return False


def endpoints_of(domain: str, mirrors: Sequence[str], *, insecure: bool, push: bool) -> list[Endpoint]:
    """The servers to ask, the first first. Mirrors are of Docker Hub, and for pulls only."""
    if domain == HUB:
        first = [] if push else [Endpoint(mirror.rstrip("/"), mirror=True) for mirror in mirrors]
        return [*first, Endpoint(_HUB_URL)]
    if domain in _HUB_NAMES:
        return [Endpoint(_HUB_URL)]
    if insecure:
        return [Endpoint(f"https://{domain}", verified=False), Endpoint(f"http://{domain}", verified=False)]
    return [Endpoint(f"https://{domain}")]


def checked_mirror(text: str) -> str:
    """A mirror's URL with one slash at its end. Raises InvalidParameter."""
    scheme, separator, _ = text.partition("://")
    either = "must use either 'https://' or 'http://'"
    if not separator or not scheme:
        raise InvalidParameter(f'invalid mirror: no scheme specified for "{text}": {either}')
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise InvalidParameter(f'invalid mirror: "{text}" is not a valid URI')
    if scheme not in ("http", "https"):
        raise InvalidParameter(f'invalid mirror: unsupported scheme "{scheme}" in "{text}": {either}')
    if parts.query or parts.fragment:
        raise InvalidParameter(f'invalid mirror: query or fragment at end of the URI "{text}"')
    if parts.username is not None:
        shown = text.replace(parts.netloc.rpartition("@")[0], f"{parts.username}:xxxxx")
        raise InvalidParameter(f'invalid mirror: username/password not allowed in URI "{shown}"')
    return text.rstrip("/") + "/"


def checked_insecure(text: str) -> str:
    """A host with or without port, or a network, as it is compared later. Raises InvalidParameter."""
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() not in ("http", "https"):
            raise InvalidParameter(f"insecure registry {text} should not contain '://'")
        text = rest
    if "/" in text:
        try:
            return str(ip_network(text, strict=False))
        except ValueError:
            pass
    if wrong := _wrong_with(text):
        raise InvalidParameter(f"insecure registry {text} is not valid: {wrong}")
    return HUB if text == "index.docker.io" else text


def check_host(domain: str) -> None:
    """Raises InvalidParameter for what is no registry's host with or without a port."""
    if wrong := _wrong_with(domain):
        raise InvalidParameter(f"invalid registry {domain}: {wrong}")


def _wrong_with(text: str) -> str:
    """Why it is no host with or without a port; empty if it is."""
    if text.startswith("-") or text.endswith("-"):
        return f"invalid index name ({text}). Cannot begin or end with a hyphen"
    host, port = text, ""
    if (found := _HOST_AND_PORT.match(text)) is not None:
        host, port = found[1], found[2]
        if not 0 < len(port) <= _DIGITS or int(port) > _LAST_PORT:
            return f'invalid port "{port}"'
    try:
        ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        if _HOST_NAME.match(host) is None:
            return f'invalid host "{host}"'
    return ""


def split_term(term: str) -> tuple[str, str]:
    """A search term as registry and words. Raises InvalidParameter."""
    if "://" in term:
        raise InvalidParameter(f"invalid repository name: repository name ({term}) should not have a scheme")
    first, slash, rest = term.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return HUB, term.removeprefix("library/")
    if first in _HUB_NAMES:
        return HUB, rest.removeprefix("library/")
    return first, rest
