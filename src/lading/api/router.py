"""Which route answers a request."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from lading.errors import InvalidParameter, NotFound
from lading.http import Request, Response

MAXIMUM = (1, 51)
MINIMUM = (1, 24)

_PREFIX = re.compile(r"/v(\d{1,6}(?:\.\d{1,6})*)(?=/)")
_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way to a route: its path's parameters and the API version it speaks."""

    request: Request
    parameters: dict[str, str]
    version: tuple[int, int]

    def query(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.request.query.get(name)
        return values[0] if values else default


Route = Callable[[Call], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route and where it stands: `{name}` matches one segment, `{name:path}` several."""

    method: str
    path: str
    route: Route


class Router:
    """Finds routes by method and path, with or without a version prefix."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], dict[str, Route]]]] = {}
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        if "{" not in endpoint.path:
            self._fixed.setdefault(endpoint.path, {})[endpoint.method] = endpoint.route
            return
        pattern = re.compile(_PARAMETER.sub(_group, endpoint.path) + r"\Z")
        family = self._patterns.setdefault(endpoint.path.split("/", 2)[1], [])
        for known, methods in family:
            if known.pattern == pattern.pattern:
                methods[endpoint.method] = endpoint.route
                return
        family.append((pattern, {endpoint.method: endpoint.route}))

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str], tuple[int, int]]:
        """The route, its path's parameters, and the API version asked for.

        Raises InvalidParameter for a version we do not speak, or NotFound.
        """
        version = MAXIMUM
        if (prefix := _PREFIX.match(path)) is not None:
            version = parse_version(prefix[1])
            path = path[prefix.end() :]
        for methods, parameters in self._candidates(path):
            if (route := methods.get(method)) is not None:
                return route, parameters, version
        # As dockerd: a wrong method is a page that is not there.
        raise NotFound("page not found")

    def _candidates(self, path: str) -> Iterator[tuple[dict[str, Route], dict[str, str]]]:
        # More than one, because `/containers/create` is also the container named "create".
        if (fixed := self._fixed.get(path)) is not None:
            yield fixed, {}
        family = path.split("/", 2)[1] if "/" in path else ""
        for pattern, methods in self._patterns.get(family, ()):
            if (found := pattern.match(path)) is not None:
                yield methods, found.groupdict()


def _group(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>.+)" if found[2] else f"(?P<{found[1]}>[^/]+)"


def parse_version(shown: str) -> tuple[int, int]:
    """The API version a client speaks.

    Raises InvalidParameter, in docker's words, for one that we do not.
    """
    major, minor, *_ = (*map(int, shown.split(".")), 0)
    if (major, minor) > MAXIMUM:
        raise InvalidParameter(
            f"client version {shown} is too new. Maximum supported API version is "
            f"{'.'.join(map(str, MAXIMUM))}"
        )
    if (major, minor) < MINIMUM:
        raise InvalidParameter(
            f"client version {shown} is too old. Minimum supported API version is "
            f"{'.'.join(map(str, MINIMUM))}, please upgrade your client to a newer version"
        )
    return major, minor
