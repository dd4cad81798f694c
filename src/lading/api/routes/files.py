"""The file systems of containers: archives in and out, the whole of it, and what changed."""

import base64

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.containers import CommitOptions, ExtractOptions
from lading.errors import InvalidParameter
from lading.http import Response
from lading.schema.container import ContainerConfig

_STAT = "X-Docker-Container-Path-Stat"
_TAR = "application/x-tar"


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    files = rooms.container_files

    async def stat(call: Call) -> Response:
        found = await files.stat(call.parameters["id"], _path(call))
        return Response(200, fields=[(_STAT, _stat_field(found.view()))])

    async def archive(call: Call) -> Response:
        found, pieces = await files.archive(call.parameters["id"], _path(call))
        return Response(200, pieces, content_type=_TAR, fields=[(_STAT, _stat_field(found.view()))])

    async def extract(call: Call) -> Response:
        options = ExtractOptions(
            keep_kinds=decode.flag(call, "noOverwriteDirNonDir"), to_user=decode.flag(call, "copyUIDGID")
        )
        await files.extract(call.parameters["id"], _path(call), call.request.stream(), options)
        return Response(200)

    async def export(call: Call) -> Response:
        pieces = await files.export(call.parameters["id"])
        return Response(200, pieces, content_type="application/octet-stream")

    async def changes(call: Call) -> Response:
        return encode.json(await files.changes(call.parameters["id"]) or None)

    async def commit(call: Call) -> Response:
        config = await decode.body(call, ContainerConfig, optional=True)
        options = CommitOptions(
            repository=call.query("repo"),
            tag=call.query("tag"),
            author=call.query("author"),
            comment=call.query("comment"),
            pause=decode.flag(call, "pause", default=True),
            changes=call.request.query.get("changes", []),
            # Clients that have none to give send an empty one.
            config=None if config == ContainerConfig() else config,
        )
        return encode.json({"Id": await files.commit(call.query("container"), options)}, 201)

    return [
        Endpoint("POST", "/commit", commit),
        Endpoint("HEAD", "/containers/{id}/archive", stat),
        Endpoint("GET", "/containers/{id}/archive", archive),
        Endpoint("PUT", "/containers/{id}/archive", extract),
        Endpoint("GET", "/containers/{id}/export", export),
        Endpoint("GET", "/containers/{id}/changes", changes),
    ]


def _path(call: Call) -> str:
    path = call.query("path")
    if not path:
        raise InvalidParameter("bad parameter: path cannot be empty")
    if "\0" in path:
        raise InvalidParameter("bad parameter: path contains the character NUL")
    return path


def _stat_field(view: dict[str, object]) -> str:
    return base64.b64encode(encode.json_line(view, b"")).decode()
