"""Commands run inside running containers."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response
from lading.schema.container import ExecConfig, ExecStartBody


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    containers = rooms.containers

    async def create(call: Call) -> Response:
        config = await decode.body(call, ExecConfig)
        return encode.json({"Id": containers.exec_create(call.parameters["id"], config).id}, 201)

    async def start(call: Call) -> Response | None:
        body = await decode.body(call, ExecStartBody, optional=True)
        record = containers.exec_find(call.parameters["id"])
        containers.exec_check(record)
        if body.detach:
            await containers.exec_start(record, body, None)
            return Response(200)
        hijacked = await call.request.hijack(encode.stream_head(call, tty=record.config.tty))
        await containers.exec_start(record, body, hijacked.take_socket())
        return None

    async def inspect(call: Call) -> Response:
        return encode.json(await containers.exec_inspect(call.parameters["id"]))

    async def resize(call: Call) -> Response:
        height, width = decode.size(call)
        await containers.exec_resize(call.parameters["id"], height, width)
        return Response(200)

    return [
        Endpoint("POST", "/containers/{id}/exec", create),
        Endpoint("POST", "/exec/{id}/start", start),
        Endpoint("GET", "/exec/{id}/json", inspect),
        Endpoint("POST", "/exec/{id}/resize", resize),
    ]
