"""Volumes beyond Docker's API: see docs/api-extensions.md."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import InvalidParameter
from lading.http import Response

_TYPES = {"none": "application/x-tar", "zstd": "application/zstd"}


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    volumes, snapshots = rooms.volumes, rooms.volumes.snapshots()

    def busy() -> set[str]:
        return {user.container_id for user in rooms.containers.image_users() if user.running}

    async def rename(call: Call) -> Response:
        rooms.container_files.rename_volume(
            call.parameters["name"], _needed(call, "to"), force=decode.flag(call, "force")
        )
        return encode.no_content()

    async def copy(call: Call) -> Response:
        force = decode.flag(call, "force")
        made = await volumes.copy(call.parameters["name"], _needed(call, "to"), busy(), force=force)
        return encode.json(made, 201)

    async def export(call: Call) -> Response:
        compression = call.query("compression") or "none"
        force = decode.flag(call, "force")
        pieces = await volumes.export(call.parameters["name"], compression, busy(), force=force)
        return Response(200, pieces, content_type=_TYPES[compression])

    async def take_in(call: Call) -> Response:
        stream, force = call.request.stream(), decode.flag(call, "force")
        return encode.json(await volumes.take_in(call.parameters["name"], stream, busy(), force=force), 201)

    async def list_snapshots(call: Call) -> Response:
        return encode.json({"Snapshots": snapshots.names(call.parameters["name"])})

    async def take(call: Call) -> Response:
        force = decode.flag(call, "force")
        await snapshots.take(call.parameters["name"], call.parameters["snapshot"], busy(), force=force)
        return encode.no_content()

    async def restore(call: Call) -> Response:
        force = decode.flag(call, "force")
        await snapshots.restore(call.parameters["name"], call.parameters["snapshot"], busy(), force=force)
        return encode.no_content()

    async def remove(call: Call) -> Response:
        await snapshots.remove(call.parameters["name"], call.parameters["snapshot"])
        return encode.no_content()

    place = "/lading/volumes/{name}"
    return [
        Endpoint("POST", f"{place}/rename", rename),
        Endpoint("POST", f"{place}/copy", copy),
        Endpoint("GET", f"{place}/archive", export),
        Endpoint("POST", f"{place}/archive", take_in),
        Endpoint("GET", f"{place}/snapshots", list_snapshots),
        Endpoint("POST", f"{place}/snapshots/{{snapshot}}", take),
        Endpoint("POST", f"{place}/snapshots/{{snapshot}}/restore", restore),
        Endpoint("DELETE", f"{place}/snapshots/{{snapshot}}", remove),
    ]


def _needed(call: Call, name: str) -> str:
    value = call.query(name)
    if not value:
        raise InvalidParameter(f"the parameter {name} is missing")
    return value
