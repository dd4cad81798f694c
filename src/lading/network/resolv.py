"""The text of a container's /etc/resolv.conf. Pure. Source: resolv.conf(5)."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, ip_address

from lading.network.record import Sandbox
from lading.network.resolv_internal import internal_text

HOST_FILE = "/etc/resolv.conf"
SYSTEMD_FILE = "/run/systemd/resolve/resolv.conf"
"""Where systemd-resolved says whom it asks itself."""
_SYSTEMD_STUB = "127.0.0.53"
_FALLBACK = ("8.8.8.8", "8.8.4.4")
_COMMENTS = ("#", ";")


def resolv_conf_text(
    sandbox: Sandbox, *, servers: Sequence[str], search: Sequence[str], options: Sequence[str]
) -> str:
    """The host's file with what was asked for in place of the host's words.

    In a namespace of its own a container cannot reach servers on the host's
    loopback, nor any by IPv6; those are left out, and where none is left,
    public ones are named. A search list of "." means none. Where 127.0.0.11 answers,
    it is the only one named.
    """
    host = sandbox.host_resolv_conf
    if sandbox.resolver:
        return internal_text(host, sandbox.host_resolv_file, servers, search, options)
    own = bool(sandbox.netns_path)
    if not own and not (servers or search or options):
        return host
    chosen = list(servers) or [server for server in nameservers(host) if not own or _reachable(server)]
    if own and not chosen:
        chosen = list(_FALLBACK)
    domains = list(search) or _last(host, ("search", "domain"))
    if domains == ["."]:
        domains = []
    lines = [f"nameserver {server}" for server in chosen]
    if domains:
        lines.append("search " + " ".join(domains))
    if words := list(options) or _last(host, ("options",)):
        lines.append("options " + " ".join(words))
    return "".join(f"{line}\n" for line in lines)


def nameservers(text: str) -> list[str]:
    """The servers a file names."""
    return [words[1] for words in _lines(text) if words[0] == "nameserver" and len(words) > 1]


def asks_systemd_stub(text: str) -> bool:
    """Whether the file knows only systemd-resolved's own address on the loopback."""
    return nameservers(text) == [_SYSTEMD_STUB]


def _reachable(server: str) -> bool:
    try:
        address = ip_address(server)
    except ValueError:
        return False
    return isinstance(address, IPv4Address) and not address.is_loopback


def _last(text: str, keywords: Iterable[str]) -> list[str]:
    found: list[str] = []
    for words in _lines(text):
        if words[0] in keywords:
            found = words[1:]
    return found


def _lines(text: str) -> Iterable[list[str]]:
    for line in text.splitlines():
        if (words := line.split()) and not words[0].startswith(_COMMENTS):
            yield words
