"""Through which proxy a request goes, decided as Go's HTTP client decides it. Pure.

Source: golang.org/x/net/http/httpproxy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from lading.distribution.endpoints import origin

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Proxies:
    """Proxies by scheme, as URLs or as `host:port`; `none_for` is a comma-separated list."""

    http: str = ""
    https: str = ""
    none_for: str = ""

    def proxy_for(self, url: str) -> str:
        """A proxy's URL; empty for the direct way."""
        scheme, host, port = origin(url)
        proxy = self.https if scheme == "https" else self.http
        if not proxy or not _used_for(host, str(port), self.none_for):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"


def proxies_of(http: str, https: str, none_for: str, environment: Mapping[str, str]) -> Proxies:
    """What was set goes before the environment, whose names are in capitals or in small letters."""

    def either(setting: str, name: str) -> str:
        return setting or environment.get(name, "") or environment.get(name.lower(), "")

    return Proxies(either(http, "HTTP_PROXY"), either(https, "HTTPS_PROXY"), either(none_for, "NO_PROXY"))


def _used_for(host: str, port: str, none_for: str) -> bool:
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    entries = (entry.strip().lower() for entry in none_for.split(","))
    return not any(entry and _matches(entry, host, address, port) for entry in entries)


def _matches(entry: str, host: str, address: Address | None, port: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return address is not None and address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split(entry)
    if wanted and wanted != port:
        return False
    if (exact := _address(name)) is not None:
        return exact == address
    if address is not None:
        return False
    if name.startswith("*."):
        name = name[1:]
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)


def _split(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _address(text: str) -> Address | None:
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


def masked(proxy: str) -> str:
    """A proxy as it may be shown: without who asks and with which password (moby, `/info`)."""
    scheme, separator, rest = proxy.rpartition("://")
    _, at, host = rest.rpartition("@")
    return f"{scheme}{separator}xxxxx:xxxxx@{host}" if at else proxy
