"""What containers do and take."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    measures = rooms.measures

    async def top(call: Call) -> Response:
        return encode.json(await measures.top(call.parameters["id"], call.query("ps_args")))

    async def stats(call: Call) -> Response:
        samples = measures.stats(
            call.parameters["id"],
            stream=decode.flag(call, "stream", default=True),
            one_shot=call.version >= (1, 41) and decode.flag(call, "one-shot"),
        )
        return Response(200, encode.stream(samples, encode.json_line), content_type="application/json")

    return [
        Endpoint("GET", "/containers/{id}/stats", stats),
        Endpoint("GET", "/containers/{id}/top", top),
    ]
