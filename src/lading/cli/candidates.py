"""Answering a shell that asks what may come next: the names an engine knows, among others.

The form is that of the Cobra library, which docker's scripts read: a line for
each word, with a tab before what is said of it, and a last line ":N".
"""

from __future__ import annotations

from lading.cli.completing import goal
from lading.cli.listing import filters_query
from lading.cli.say import out
from lading.client import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from lading.cli.flags import Flag
    from lading.cli.session import Session
    from lading.client import Client

_NO_SPACE, _NO_FILES = 2, 4
_SHELLS = ("bash", "fish", "zsh")


def answer(words: Sequence[str], flags: Sequence[Flag], session: Session) -> None:
    """Prints what may stand in place of the last word."""
    wanted, word = goal(words, flags), words[-1] if words else ""
    lines = [(wanted.prefix + value, text) for value, text in wanted.fixed]
    lines += [(wanted.prefix + value, "") for value in _known(wanted.kind, session)]
    fitting = [line for line in lines if line[0].startswith(word)]
    directive = 0 if wanted.kind in ("files", "places") else _NO_FILES
    if any(value.endswith(("=", ":")) for value, _ in fitting):
        directive |= _NO_SPACE
    shown = [f"{value}\t{text}" if text else value for value, text in fitting]
    out("\n".join([*shown, f":{directive}"]))


def _known(kind: str, session: Session) -> list[str]:
    if kind == "shells":
        return list(_SHELLS)
    if kind == "registries":
        return _registries(session)
    look = _LOOKS.get(kind)
    if look is None:
        return []
    try:
        return sorted(set(look(session.client)))
    except ClientError:
        # A key press is no place for complaints.
        return []


def _registries(session: Session) -> list[str]:
    """Registries that the user's settings name."""
    config = session.config
    return sorted({*config.map("auths"), *config.map("credHelpers")})


def _containers(client: Client, *states: str) -> list[str]:
    query = [("all", "1"), *filters_query([f"status={state}" for state in states])]
    shown: list[dict[str, Any]] = client.get("/containers/json", query)
    return [container["Names"][0].removeprefix("/") for container in shown if container.get("Names")]


def _images(client: Client) -> list[str]:
    names = [name for image in client.get("/images/json") for name in image.get("RepoTags") or ()]
    return [*names, *(name.removesuffix(":latest") for name in names)]


def _networks(client: Client) -> list[str]:
    return [network["Name"] for network in client.get("/networks")]


def _volumes(client: Client) -> list[str]:
    return [volume["Name"] for volume in client.get("/volumes")["Volumes"] or ()]


def _volume_drivers(client: Client) -> list[str]:
    return list(client.get("/info")["Plugins"].get("Volume") or ())


def _runtimes(client: Client) -> list[str]:
    return list(client.get("/info").get("Runtimes") or ())


_LOOKS: dict[str, Callable[[Client], list[str]]] = {
    "containers": _containers,
    "images": _images,
    "networks": _networks,
    "objects": lambda client: [*_containers(client), *_images(client)],
    "paused": lambda client: _containers(client, "paused"),
    "places": lambda client: [f"{name}:" for name in _containers(client)],
    "running": lambda client: _containers(client, "running", "paused"),
    "runtimes": _runtimes,
    "volumes": _volumes,
    "volume drivers": _volume_drivers,
    "stopped": lambda client: _containers(client, "created", "exited"),
}
