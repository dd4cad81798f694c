"""Images from registries and from the web: pulling and importing."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from lading.api import encode
from lading.api.registry_auth import credentials
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import InternalError, LadingError, Unauthorized
from lading.http import Response


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The route that brings images in, whatever from (Engine API 1.51, ImageCreate)."""

    async def create(call: Call) -> Response:
        if call.query("fromImage"):
            return await _pull(rooms, call)
        return await _import(rooms, call)

    return [Endpoint("POST", "/images/create", create)]


async def _pull(rooms: Rooms, call: Call) -> Response:
    platform = call.query("platform") if call.version >= (1, 32) else ""
    messages = rooms.image_transfers.pull(
        call.query("fromImage"), call.query("tag"), platform, credentials(call)
    )
    try:
        return await _started(messages)
    except Unauthorized as problem:
        # As moby answers. At 401 docker's client asks who one is, and waits for an answer even in a script.
        raise InternalError(problem.message) from None


async def _import(rooms: Rooms, call: Call) -> Response:
    source = call.query("fromSrc")

    async def importing(stream: AsyncIterator[bytes]) -> str:
        return await rooms.images.import_(
            stream,
            call.query("repo"),
            call.query("tag"),
            call.request.query.get("changes", []),
            call.query("message") or f"Imported from {source}",
            call.query("platform"),
        )

    if source != "-":
        return await _started(rooms.image_transfers.import_url(source, importing))
    image_id = await importing(call.request.stream())
    return Response(200, encode.json_line({"status": image_id}, b"\r\n"), content_type="application/json")


async def _started(messages: AsyncIterator[Any]) -> Response:
    """A stream of messages; what fails before the first one is answered with a status of its own."""
    first = await anext(messages, None)
    return Response(200, _stream(first, messages), content_type="application/json")


async def _stream(first: Any, messages: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async with aclosing(messages) as rest:  # type: ignore[type-var]
        if first is not None:
            yield encode.json_line(first, b"\r\n")
        try:
            async for message in rest:
                yield encode.json_line(message, b"\r\n")
        except LadingError as problem:
            yield encode.progress_error(problem)
