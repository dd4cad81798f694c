"""Networks, and who is on them."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import InvalidParameter, NotFound
from lading.filters import Filters
from lading.http import Response
from lading.schema.network import NetworkConnectBody, NetworkCreateBody, NetworkDisconnectBody

FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
PRUNE_FILTERS = ("label", "label!", "until")


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    networks, containers = rooms.networks, rooms.containers

    async def list_all(call: Call) -> Response:
        return encode.json(networks.list(Filters.parse(call.query("filters"), FILTERS)))

    async def inspect(call: Call) -> Response:
        scope = call.query("scope")
        if scope not in ("", "local"):
            # There is no other scope here, as where docker is no swarm node.
            raise _not_found(call)
        return encode.json(networks.inspect(call.parameters["id"]))

    async def create(call: Call) -> Response:
        identifier = await networks.create(await decode.body(call, NetworkCreateBody))
        return encode.json({"Id": identifier, "Warning": ""}, 201)

    async def remove(call: Call) -> Response:
        await networks.remove(call.parameters["id"])
        return encode.no_content()

    async def connect(call: Call) -> Response:
        body = await decode.body(call, NetworkConnectBody)
        await containers.connect(_container(body.container), call.parameters["id"], body.endpoint_config)
        return Response()

    async def disconnect(call: Call) -> Response:
        body = await decode.body(call, NetworkDisconnectBody)
        await containers.disconnect(_container(body.container), call.parameters["id"], force=body.force)
        return Response()

    async def prune(call: Call) -> Response:
        gone = await networks.prune(Filters.parse(call.query("filters"), PRUNE_FILTERS))
        return encode.json({"NetworksDeleted": gone or None})

    return [
        Endpoint("POST", "/networks/create", create),
        Endpoint("POST", "/networks/prune", prune),
        Endpoint("GET", "/networks", list_all),
        Endpoint("GET", "/networks/", list_all),
        Endpoint("GET", "/networks/{id}", inspect),
        Endpoint("DELETE", "/networks/{id}", remove),
        Endpoint("POST", "/networks/{id}/connect", connect),
        Endpoint("POST", "/networks/{id}/disconnect", disconnect),
    ]


def _container(reference: str) -> str:
    if not reference:
        raise InvalidParameter("a container is needed")
    return reference


def _not_found(call: Call) -> NotFound:
    return NotFound(f"network {call.parameters['id']} not found")
