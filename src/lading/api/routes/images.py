"""Images: bringing in, showing, naming, removing."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import InvalidParameter, LadingError
from lading.filters import Filters
from lading.http import Response
from lading.images import LIST_FILTERS, PRUNE_FILTERS
from lading.oci import platforms


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    return [*_arrivals(rooms), *_views(rooms), *_changes(rooms)]


def _arrivals(rooms: Rooms) -> list[Endpoint]:
    images = rooms.images

    async def load(call: Call) -> Response:
        quiet = decode.flag(call, "quiet", default=True)
        messages = images.load(call.request.stream(), quiet, decode.platform_list(call))
        return Response(200, _progress(messages), content_type="application/json")

    return [Endpoint("POST", "/images/load", load)]


async def _progress(messages: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async with aclosing(messages) as stream:  # type: ignore[type-var]
        try:
            async for message in stream:
                yield encode.json_line(message, b"\r\n")
        except LadingError as problem:
            yield encode.progress_error(problem)


def _views(rooms: Rooms) -> list[Endpoint]:
    images = rooms.images

    async def list_all(call: Call) -> Response:
        filters = Filters.parse(call.query("filters"), LIST_FILTERS)
        if call.version < (1, 41) and (pattern := call.query("filter")):
            filters = filters.also("reference", pattern)
        return encode.json(
            images.list(
                filters,
                everything=decode.flag(call, "all"),
                shared_size=call.version >= (1, 42) and decode.flag(call, "shared-size"),
                users=rooms.containers.image_users() if call.version >= (1, 51) else None,
                version=call.version,
            )
        )

    async def inspect(call: Call) -> Response:
        platform = decode.platform(call) if call.version >= (1, 49) else None
        if platform is not None and decode.flag(call, "manifests"):
            raise InvalidParameter("conflicting options: manifests and platform options cannot both be set")
        return encode.json(images.inspect(call.parameters["name"], call.version, platform))

    async def history(call: Call) -> Response:
        platform = decode.platform(call) if call.version >= (1, 48) else None
        return encode.json(images.history(call.parameters["name"], platform))

    return [
        Endpoint("GET", "/images/json", list_all),
        Endpoint("GET", "/images/{name:path}/json", inspect),
        Endpoint("GET", "/images/{name:path}/history", history),
    ]


def _changes(rooms: Rooms) -> list[Endpoint]:
    images = rooms.images

    async def tag(call: Call) -> Response:
        images.tag(call.parameters["name"], call.query("repo"), call.query("tag"))
        return Response(201)

    async def remove(call: Call) -> Response:
        removed = images.remove(
            call.parameters["name"],
            decode.flag(call, "force"),
            not decode.flag(call, "noprune"),
            rooms.containers.image_users(),
            platforms.decode_all(call.request.query.get("platforms", [])) if call.version >= (1, 50) else (),
        )
        return encode.json(removed)

    async def prune(call: Call) -> Response:
        filters = Filters.parse(call.query("filters"), PRUNE_FILTERS)
        return encode.json(await images.prune(filters, rooms.containers.image_users))

    return [
        Endpoint("POST", "/images/prune", prune),
        Endpoint("POST", "/images/{name:path}/tag", tag),
        Endpoint("DELETE", "/images/{name:path}", remove),
    ]
