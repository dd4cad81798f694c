"""What lies on the disk: how much it is, and whether it is whole."""

from typing import Any

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.errors import InvalidParameter
from lading.http import Response

_TYPES = ("container", "image", "volume", "build-cache")
_TYPE_SINCE = (1, 42)


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""

    async def disk_usage(call: Call) -> Response:
        wanted = _wanted(call)
        # As dockerd, what was not asked for is null.
        shown: dict[str, Any] = dict.fromkeys(("Images", "Containers", "Volumes", "BuildCache"))
        shown["LayersSize"] = 0
        if "container" in wanted:
            shown["Containers"] = await rooms.measures.disk_usage()
        if "volume" in wanted:
            shown["Volumes"] = await rooms.volumes.disk_usage()
        if "image" in wanted:
            shown |= rooms.images.disk_usage(rooms.containers.image_users(), call.version)
        if "build-cache" in wanted:
            # Nothing is built here, so nothing is kept for the next build.
            shown["BuildCache"] = []
        return encode.json(shown)

    async def prune_builds(call: Call) -> Response:
        # Nothing is kept of builds, as there are none.
        return encode.json({"CachesDeleted": None, "SpaceReclaimed": 0})

    async def check(call: Call) -> Response:
        messages = rooms.images.check(
            rooms.containers.image_users,
            repair=decode.flag(call, "repair"),
            deep=decode.flag(call, "deep"),
        )
        return Response(200, encode.progress(messages), content_type="application/json")

    return [
        Endpoint("GET", "/system/df", disk_usage),
        Endpoint("POST", "/build/prune", prune_builds),
        # Not Docker's: see docs/api-extensions.md.
        Endpoint("POST", "/lading/system/check", check),
    ]


def _wanted(call: Call) -> tuple[str, ...]:
    types = call.request.query.get("type", [])
    if call.version < _TYPE_SINCE or not types:
        return _TYPES
    for name in types:
        if name not in _TYPES:
            raise InvalidParameter(f"unknown object type: {name}")
    return tuple(types)
