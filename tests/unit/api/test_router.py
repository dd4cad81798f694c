"""Which route answers, with which parameters, and what the others are told."""

import pytest

from lading.api.router import Call, Endpoint, Router
from lading.errors import LadingError
from lading.http import Response


def _route(name: str) -> Endpoint:
    method, _, path = name.partition(" ")

    async def route(call: Call) -> Response:
        return Response(200, name.encode())

    route.__name__ = name
    return Endpoint(method, path, route)


ROUTER = Router(
    map(
        _route,
        [
            "GET /_ping",
            "HEAD /_ping",
            "GET /containers/json",
            "POST /containers/create",
            "GET /containers/{id}/json",
            "DELETE /containers/{id}",
            "GET /images/json",
            "GET /images/{name:path}/json",
            "GET /images/{name:path}/history",
            "POST /images/{name:path}/tag",
            "DELETE /images/{name:path}",
        ],
    )
)


@pytest.mark.parametrize(
    ("request_line", "route", "parameters"),
    [
        ("GET /_ping", "GET /_ping", {}),
        ("HEAD /v1.41/_ping", "HEAD /_ping", {}),
        ("GET /v1.51/containers/json", "GET /containers/json", {}),
        ("GET /containers/web/json", "GET /containers/{id}/json", {"id": "web"}),
        ("GET /containers/json/json", "GET /containers/{id}/json", {"id": "json"}),
        ("DELETE /v1.24/containers/create", "DELETE /containers/{id}", {"id": "create"}),
        ("GET /images/busybox/json", "GET /images/{name:path}/json", {"name": "busybox"}),
        ("GET /images/r.io:5000/a/b:1/json", "GET /images/{name:path}/json", {"name": "r.io:5000/a/b:1"}),
        ("POST /v1.30/images/a/json/tag", "POST /images/{name:path}/tag", {"name": "a/json"}),
        ("DELETE /images/a/b@sha256:00", "DELETE /images/{name:path}", {"name": "a/b@sha256:00"}),
    ],
)
def test_requests_find_their_route(request_line: str, route: str, parameters: dict[str, str]) -> None:
    method, _, path = request_line.partition(" ")
    found, taken, _ = ROUTER.match(method, path)
    assert (getattr(found, "__name__", ""), taken) == (route, parameters)


@pytest.mark.parametrize(
    ("path", "version"), [("/_ping", (1, 51)), ("/v1.24/_ping", (1, 24)), ("/v1.44.1/_ping", (1, 44))]
)
def test_a_request_speaks_the_version_it_names_or_our_latest(path: str, version: tuple[int, int]) -> None:
    assert ROUTER.match("GET", path)[2] == version


@pytest.mark.parametrize(
    ("request_line", "status", "message"),
    [
        ("GET /", 404, "page not found"),
        ("GET /v1.51", 404, "page not found"),
        ("GET /vx.y/_ping", 404, "page not found"),
        ("GET /_ping/", 404, "page not found"),
        ("GET /containers", 404, "page not found"),
        ("GET /containers//json", 404, "page not found"),
        ("GET /containers/a/b/json", 404, "page not found"),
        ("GET *", 404, "page not found"),
        ("PUT /containers/json", 404, "page not found"),
        ("GET /v1.41/containers/create", 404, "page not found"),
        (
            "GET /v1.99/_ping",
            400,
            "client version 1.99 is too new. Maximum supported API version is 1.51",
        ),
        (
            "GET /v2.0/no/such/page",
            400,
            "client version 2.0 is too new. Maximum supported API version is 1.51",
        ),
        (
            "GET /v1.10/containers/json",
            400,
            "client version 1.10 is too old. Minimum supported API version is 1.24, "
            "please upgrade your client to a newer version",
        ),
        (
            "GET /v1/_ping",
            400,
            "client version 1 is too old. Minimum supported API version is 1.24, "
            "please upgrade your client to a newer version",
        ),
    ],
)
def test_others_are_told_why_not(request_line: str, status: int, message: str) -> None:
    method, _, path = request_line.partition(" ")
    with pytest.raises(LadingError) as raised:
        ROUTER.match(method, path)
    assert (raised.value.status, raised.value.message) == (status, message)
