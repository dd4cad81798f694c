"""Volumes."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.filters import Filters
from lading.http import Response
from lading.schema.volume import VolumeCreateBody
from lading.volumes import LIST_FILTERS, PRUNE_FILTERS


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    volumes = rooms.volumes

    async def list_all(call: Call) -> Response:
        found = volumes.list(Filters.parse(call.query("filters"), LIST_FILTERS))
        return encode.json({"Volumes": found, "Warnings": None})

    async def inspect(call: Call) -> Response:
        return encode.json(volumes.inspect(call.parameters["name"]))

    async def create(call: Call) -> Response:
        return encode.json(volumes.create(await decode.body(call, VolumeCreateBody)), 201)

    async def remove(call: Call) -> Response:
        volumes.remove(call.parameters["name"], force=decode.flag(call, "force"))
        return encode.no_content()

    async def prune(call: Call) -> Response:
        return encode.json(await volumes.prune(Filters.parse(call.query("filters"), PRUNE_FILTERS)))

    return [
        Endpoint("GET", "/volumes", list_all),
        Endpoint("POST", "/volumes/create", create),
        Endpoint("POST", "/volumes/prune", prune),
        Endpoint("GET", "/volumes/{name}", inspect),
        Endpoint("DELETE", "/volumes/{name}", remove),
    ]
