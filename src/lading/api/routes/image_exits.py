"""Images on their way out: into archives and to registries."""

from lading.api import decode, encode, registry_auth
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes by which images leave."""
    transfers = rooms.image_transfers

    async def get(call: Call) -> Response:
        pieces = await transfers.save([call.parameters["name"]], decode.platform_list(call))
        return Response(200, pieces, content_type="application/x-tar")

    async def get_all(call: Call) -> Response:
        names = call.request.query.get("names", [])
        pieces = await transfers.save(names, decode.platform_list(call))
        return Response(200, pieces, content_type="application/x-tar")

    async def push(call: Call) -> Response:
        messages = transfers.push(
            call.parameters["name"],
            call.query("tag"),
            decode.platform(call) if call.version >= (1, 46) else None,
            registry_auth.credentials(call),
        )
        return Response(200, encode.progress(messages), content_type="application/json")

    return [
        Endpoint("POST", "/images/{name:path}/push", push),
        Endpoint("GET", "/images/get", get_all),
        Endpoint("GET", "/images/{name:path}/get", get),
    ]
