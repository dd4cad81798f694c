"""What `--link` means: names in /etc/hosts and variables in the environment. Pure.

Source: docker's "Legacy container links"; Engine API 1.51, HostConfig.Links.
"""

from collections.abc import Iterable, Sequence

from lading.containers.record import Container, Link
from lading.errors import InvalidParameter
from lading.network import parse_ports

_NOT_PASSED_ON = ("HOME", "PATH")


def parse_link(text: str) -> tuple[str, str]:
    """Container and alias of "container[:alias]". Raises InvalidParameter."""
    parts = text.split(":")
    name, alias = parts[0], parts[-1]
    if not text:
        raise InvalidParameter("empty string specified for links")
    if len(parts) > 2 or not name or not alias:
        raise InvalidParameter(f"bad format for links: {text}")
    if len(parts) == 1 or alias.startswith("/"):
        # What inspect shows, "/db:/web/db", can be given back.
        alias = alias.rpartition("/")[2]
    return name, alias


def host_names(link: Link, child: Container) -> str:
    """What the linked container is called inside: alias, host name, name."""
    names = [link.alias, child.definition.config.hostname]
    if link.alias != child.name:
        names.append(child.name)
    return " ".join(names)


def full_name(parent: Container, link: Link) -> str:
    """A link as docker names it: "/web/db"."""
    return f"/{parent.name}/{link.alias}"


def link_env(name: str, address: str, ports: Iterable[str], env: Sequence[str]) -> list[str]:
    """The variables that tell of a linked container.

    `name` is the link's full name, `address` where the container is reached,
    `ports` what it exposes ("80/tcp"), `env` its own variables.
    """
    prefix = name.rpartition("/")[2].upper().replace("-", "_")
    exposed = sorted(
        {port for text in ports for port in parse_ports(text)},
        key=lambda port: (port[1] != "tcp", port[1], port[0]),
    )
    found: list[str] = []
    for position, (number, proto) in enumerate(exposed):
        url = f"{proto}://{address}:{number}"
        if position == 0:
            found.append(f"{prefix}_PORT={url}")
        one = f"{prefix}_PORT_{number}_{proto.upper()}"
        found += [f"{one}={url}", f"{one}_ADDR={address}", f"{one}_PORT={number}", f"{one}_PROTO={proto}"]
    for first, last, proto in _spans(exposed):
        one = f"{prefix}_PORT_{first}_{proto.upper()}"
        found += [
            f"{one}_START={proto}://{address}:{first}",
            f"{one}_PORT_START={first}",
            f"{one}_END={proto}://{address}:{last}",
            f"{one}_PORT_END={last}",
        ]
    found.append(f"{prefix}_NAME={name}")
    for entry in env:
        variable, separator, value = entry.partition("=")
        if separator and variable not in _NOT_PASSED_ON:
            found.append(f"{prefix}_ENV_{variable}={value}")
    return found


def _spans(ports: Sequence[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """Ports that follow one another, two or more, as first, last and protocol."""
    spans: list[tuple[int, int, str]] = []
    for number, proto in ports:
        if spans and spans[-1][1:] == (number - 1, proto):
            spans[-1] = (spans[-1][0], number, proto)
        else:
            spans.append((number, number, proto))
    return [span for span in spans if span[0] != span[1]]
