"""Ping, version, info, events."""

from lading.api import encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.api.system_view import info_view, version_view
from lading.events import FILTERS
from lading.filters import Filters
from lading.http import Response
from lading.units import now_ns, parse_moment

_PING_FIELDS = (
    ("Builder-Version", "1"),
    ("Swarm", "inactive"),
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
)


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""

    async def ping(call: Call) -> Response:
        return Response(200, b"OK", content_type="text/plain; charset=utf-8", fields=_PING_FIELDS)

    async def version(call: Call) -> Response:
        return encode.json(version_view(rooms.facts()))

    async def info(call: Call) -> Response:
        facts = rooms.facts()
        return encode.json(info_view(facts, rooms.containers.counts(), rooms.images.count()))

    async def events(call: Call) -> Response:
        now = now_ns()
        since, until = call.query("since"), call.query("until")
        filters = Filters.parse(call.query("filters"), FILTERS)
        messages = rooms.events.listen(
            parse_moment(since, now) if since else None, parse_moment(until, now) if until else None, filters
        )
        lines = encode.stream(messages, lambda message: encode.json_line(message.view()))
        return Response(200, lines, content_type="application/json")

    return [
        Endpoint("GET", "/_ping", ping),
        Endpoint("HEAD", "/_ping", ping),
        Endpoint("GET", "/version", version),
        Endpoint("GET", "/info", info),
        Endpoint("GET", "/events", events),
    ]
