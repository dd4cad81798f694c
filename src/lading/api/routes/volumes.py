"""Volumes."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import Unavailable
from lading.filters import Filters
from lading.http import Response
from lading.schema.volume import VolumeCreateBody
from lading.volumes import LIST_FILTERS, PRUNE_FILTERS

# From then on there are volumes of clusters, and pruning spares those with a name.
_SINCE_CLUSTERS = (1, 42)
_NO_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
    "to connect this node to swarm and try again."
)


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    volumes = rooms.volumes

    async def list_all(call: Call) -> Response:
        found = volumes.list(Filters.parse(call.query("filters"), LIST_FILTERS))
        return encode.json({"Volumes": found, "Warnings": None})

    async def inspect(call: Call) -> Response:
        return encode.json(volumes.inspect(call.parameters["name"]))

    async def create(call: Call) -> Response:
        body = await decode.body(call, VolumeCreateBody)
        if body.cluster_volume_spec is not None and call.version >= _SINCE_CLUSTERS:
            raise Unavailable(_NO_MANAGER)
        return encode.json(volumes.create(body), 201)

    async def update(call: Call) -> Response:
        raise Unavailable("volume update only valid for cluster volumes, but swarm is unavailable")

    async def remove(call: Call) -> Response:
        volumes.remove(call.parameters["name"], force=decode.flag(call, "force"))
        return encode.no_content()

    async def prune(call: Call) -> Response:
        filters = Filters.parse(call.query("filters"), PRUNE_FILTERS)
        if call.version < _SINCE_CLUSTERS and "all" not in filters:
            filters = filters.also("all", "true")
        return encode.json(await volumes.prune(filters))

    return [
        Endpoint("GET", "/volumes", list_all),
        Endpoint("POST", "/volumes/create", create),
        Endpoint("POST", "/volumes/prune", prune),
        Endpoint("GET", "/volumes/{name}", inspect),
        Endpoint("PUT", "/volumes/{name}", update),
        Endpoint("DELETE", "/volumes/{name}", remove),
    ]
