"""Images: bringing in, showing, naming, removing."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import InvalidParameter, LadingError, Unsupported
from lading.filters import Filters
from lading.http import Response
from lading.images import LIST_FILTERS


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    return [*_arrivals(rooms), *_views(rooms), *_changes(rooms)]


def _arrivals(rooms: Rooms) -> list[Endpoint]:
    images = rooms.images

    async def load(call: Call) -> Response:
        messages = images.load(call.request.stream(), decode.flag(call, "quiet", default=True))
        return Response(200, _progress(messages), content_type="application/json")

    async def create(call: Call) -> Response:
        if call.query("fromImage"):
            raise Unsupported(
                f"cannot pull {call.query('fromImage')}: this engine has no registry client yet; "
                "use `docker load` or `docker import`"
            )
        if call.query("fromSrc") != "-":
            raise InvalidParameter(
                "fromSrc must be '-': this engine imports what the client sends, not what a URL names"
            )
        image_id = await images.import_(
            call.request.stream(),
            call.query("repo"),
            call.query("tag"),
            call.request.query.get("changes", []),
            call.query("message"),
            call.query("platform"),
        )
        return Response(200, encode.json_line({"status": image_id}, b"\r\n"), content_type="application/json")

    return [Endpoint("POST", "/images/load", load), Endpoint("POST", "/images/create", create)]


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
        return encode.json(
            images.list(
                Filters.parse(call.query("filters"), LIST_FILTERS),
                everything=decode.flag(call, "all"),
                shared_size=decode.flag(call, "shared-size"),
                version=call.version,
            )
        )

    async def inspect(call: Call) -> Response:
        return encode.json(images.inspect(call.parameters["name"], call.version))

    async def history(call: Call) -> Response:
        return encode.json(images.history(call.parameters["name"]))

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
        )
        return encode.json(removed)

    return [
        Endpoint("POST", "/images/{name:path}/tag", tag),
        Endpoint("DELETE", "/images/{name:path}", remove),
    ]
