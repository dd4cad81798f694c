"""What containers do and take."""

from lading.api import encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    measures = rooms.measures

    async def top(call: Call) -> Response:
        return encode.json(await measures.top(call.parameters["id"], call.query("ps_args")))

    return [Endpoint("GET", "/containers/{id}/top", top)]
