"""`lading events`."""

from __future__ import annotations

import time

from lading.cli.command import Command
from lading.cli.commands.logs import moment
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import FILTER_HELP, INSPECT_FORMAT_HELP, check_filter, filters_query
from lading.cli.say import out
from lading.cli.template import Template, TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_NANOSECOND = 1_000_000_000


def line(event: dict[str, Any]) -> str:
    """One event for people (Engine API 1.51, "EventMessage")."""
    actor = event.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    seconds, fraction = divmod(event["timeNano"], _NANOSECOND)
    there = time.localtime(seconds)
    zone = time.strftime("%z", there)
    zone = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', there)}.{fraction:09d}{zone}"
    words = [stamp, event.get("Type", ""), event.get("Action", ""), actor.get("ID", "")]
    if attributes:
        words.append("(" + ", ".join(f"{name}={attributes[name]}" for name in sorted(attributes)) + ")")
    return " ".join(words)


def run(session: Session, given: Given) -> None:
    source = given["format"]
    try:
        template = Template("{{json .}}" if source == "json" else source)
    except TemplateError as error:
        raise CommandFailed(f"Error parsing format: {error.message}", 64) from None
    query = [(flag, moment(given[flag])) for flag in ("since", "until") if given[flag]]
    query += filters_query(given["filter"])
    for event in session.client.stream("GET", "/events", query).objects():
        try:
            out(template.render(_with_named_times(event)) if source else line(event))
        except TemplateError as error:
            raise CommandFailed(f"Error executing format: {error.message}") from None


def _with_named_times(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the names its fields have in templates beside those on the wire."""
    named = {"ID": "id", "From": "from", "Status": "status", "Scope": "scope", "Time": "time"}
    return _Named(
        event, {**{name: event.get(key, "") for name, key in named.items()}, "TimeNano": event["timeNano"]}
    )


class _Named(dict):  # type: ignore[type-arg]
    """A mapping that knows more names than it shows."""

    def __init__(self, shown: dict[str, Any], more: dict[str, Any]) -> None:
        super().__init__(shown)
        self._more = more

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._more

    def __missing__(self, name: str) -> Any:
        return self._more[name]


COMMAND = Command(
    "events",
    "",
    "Get real time events from the server",
    (
        Flag("filter", "f", "filter", FILTER_HELP, gathers=True, check=check_filter),
        Flag("format", "", "string", INSPECT_FORMAT_HELP),
        Flag("since", "", "string", "Show all events created since timestamp"),
        Flag("until", "", "string", "Stream events until this timestamp"),
    ),
    run,
    most=0,
    aliases=("system events", "events"),
)
