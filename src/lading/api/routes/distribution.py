"""What registries have, without fetching it."""

from lading.api import encode, registry_auth
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The route of this noun (Engine API 1.51, DistributionInspect)."""

    async def inspect(call: Call) -> Response:
        credentials = registry_auth.credentials(call)
        return encode.json(await rooms.image_transfers.distribution(call.parameters["name"], credentials))

    return [Endpoint("GET", "/distribution/{name:path}/json", inspect)]
