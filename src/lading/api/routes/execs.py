"""Commands run inside running containers."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response
from lading.schema.container import ExecConfig, ExecStartBody


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    execs = rooms.execs

    async def create(call: Call) -> Response:
        config = await decode.body(call, ExecConfig)
        return encode.json({"Id": execs.create(call.parameters["id"], config).id}, 201)

    async def start(call: Call) -> Response | None:
        body = await decode.body(call, ExecStartBody, optional=True)
        record = execs.find(call.parameters["id"])
        execs.check(record, body)
        if body.detach:
            await execs.start(record, body, None)
            return Response(200)
        hijacked = await call.request.hijack(encode.stream_head(call, tty=record.config.tty))
        await execs.start(record, body, hijacked.take_socket())
        return None

    async def inspect(call: Call) -> Response:
        return encode.json(await execs.inspect(call.parameters["id"]))

    async def resize(call: Call) -> Response:
        height, width = decode.size(call)
        await execs.resize(call.parameters["id"], height, width)
        return Response(200)

    return [
        Endpoint("POST", "/containers/{id}/exec", create),
        Endpoint("POST", "/exec/{id}/start", start),
        Endpoint("GET", "/exec/{id}/json", inspect),
        Endpoint("POST", "/exec/{id}/resize", resize),
    ]
