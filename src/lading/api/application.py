"""The handler the HTTP room serves: routing, common fields, errors."""

import logging

from lading import __version__
from lading.api import encode
from lading.api.rooms import Rooms
from lading.api.router import MAXIMUM, Call, Router
from lading.api.routes import (
    containers,
    distribution,
    execs,
    files,
    image_arrivals,
    image_exits,
    images,
    manifests,
    measures,
    networks,
    registries,
    storage,
    system,
    volume_content,
    volumes,
)
from lading.errors import LadingError
from lading.http import Handler, Request, Response

_log = logging.getLogger(__name__)

COMMON = (
    ("Api-Version", ".".join(map(str, MAXIMUM))),
    ("Docker-Experimental", "false"),
    ("Ostype", "linux"),
    ("Server", f"Lading/{__version__} (linux)"),
)
"""Fields every answer carries (Engine API 1.51, SystemPing)."""


def application(rooms: Rooms) -> Handler:
    """The API over these rooms."""
    router = Router(
        [
            *system.endpoints(rooms),
            *containers.endpoints(rooms),
            *execs.endpoints(rooms),
            *files.endpoints(rooms),
            *measures.endpoints(rooms),
            *images.endpoints(rooms),
            *image_arrivals.endpoints(rooms),
            *image_exits.endpoints(rooms),
            *distribution.endpoints(rooms),
            *manifests.endpoints(rooms),
            *networks.endpoints(rooms),
            *registries.endpoints(rooms),
            *volumes.endpoints(rooms),
            *volume_content.endpoints(rooms),
            *storage.endpoints(rooms),
        ]
    )

    async def handle(request: Request) -> Response | None:
        try:
            route, parameters, version = router.match(request.method, request.path)
            response = await route(Call(request, parameters, version))
        except LadingError as problem:
            level = logging.ERROR if problem.status >= 500 else logging.DEBUG
            _log.log(level, "%s %s: %s", request.method, request.path, problem.message)
            response = encode.error(problem)
        if response is not None:
            response.fields = (*COMMON, *response.fields)
        return response

    return handle
