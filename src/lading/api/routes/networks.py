"""Networks, as far as there are any: the default ones, shown."""

from lading.api import encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.filters import Filters
from lading.http import Response

FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
PRUNE_FILTERS = ("label", "label!", "until")


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    networks = rooms.networks

    async def list_all(call: Call) -> Response:
        return encode.json(networks.list(Filters.parse(call.query("filters"), FILTERS)))

    async def inspect(call: Call) -> Response:
        return encode.json(networks.inspect(call.parameters["id"]))

    async def prune(call: Call) -> Response:
        Filters.parse(call.query("filters"), PRUNE_FILTERS)
        networks.prune()
        return encode.json({"NetworksDeleted": None})

    return [
        Endpoint("POST", "/networks/prune", prune),
        Endpoint("GET", "/networks", list_all),
        Endpoint("GET", "/networks/", list_all),
        Endpoint("GET", "/networks/{id}", inspect),
    ]
