"""Which servers stand for a registry, and whether one may be talked to in the clear. Pure.

Source: dockerd's reference, "insecure registries" and "registry mirrors".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from lading.errors import InvalidParameter

HUB = "docker.io"
HUB_ADDRESS = "https://index.docker.io/v1/"
_HUB_NAMES = ("docker.io", "index.docker.io", "registry-1.docker.io")
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
    def encrypted(self) -> bool:
        return self.url.startswith("https:")


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
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        raise InvalidParameter(f'invalid mirror: "{text}" is not a valid URI') from None
    if parts.scheme not in ("http", "https"):
        said = f'unsupported scheme "{parts.scheme}" in "{text}"'
        if not parts.scheme or not host:
            said = f"no scheme specified for \"{text}\": must use either 'https://' or 'http://'"
        raise InvalidParameter(f"invalid mirror: {said}")
    if not host:
        raise InvalidParameter(f'invalid mirror: "{text}" is not a valid URI')
    if parts.query or parts.fragment:
        raise InvalidParameter(f'invalid mirror: query or fragment at end of the URI "{text}"')
    if parts.username is not None:
        shown = text.replace(parts.netloc.rpartition("@")[0], "xxxxx:xxxxx")
        raise InvalidParameter(f'invalid mirror: username/password not allowed in URI "{shown}"')
    return text.rstrip("/") + "/"


def checked_insecure(text: str) -> str:
    """A host with or without port, or a network, as it is compared later. Raises InvalidParameter."""
    lowered = text.lower()
    for scheme in ("http://", "https://"):
        if lowered.startswith(scheme):
            text = text[len(scheme) :]
    if "://" in text:
        raise InvalidParameter(f"insecure registry {text} should not contain '://'")
    if "/" in text:
        try:
            return str(ip_network(text, strict=False))
        except ValueError:
            pass
    return _checked_host(text)


def _checked_host(text: str) -> str:
    """Raises InvalidParameter."""
    if text.startswith("-") or text.endswith("-"):
        raise InvalidParameter(
            f"insecure registry {text} is not valid: invalid index name ({text}). "
            "Cannot begin or end with a hyphen"
        )
    try:
        host, port = urlsplit("//" + text).hostname, urlsplit("//" + text).port
    except ValueError:
        raise InvalidParameter(f'insecure registry {text} is not valid: invalid host "{text}"') from None
    if not host or "/" in text or (text.endswith(":") and port is None):
        raise InvalidParameter(f'insecure registry {text} is not valid: invalid host "{text}"')
    return HUB if text == "index.docker.io" else text


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
