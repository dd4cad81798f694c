"""Which containers `GET /containers/json` shows. Pure but for what is passed in."""

from collections.abc import Callable, Collection, Iterable, Mapping

from lading.containers.record import Container, Status
from lading.errors import InvalidParameter, NotFound
from lading.filters import Filters
from lading.units import parse_whole

FILTERS = (
    "ancestor",
    "before",
    "expose",
    "exited",
    "health",
    "id",
    "isolation",
    "is-task",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)

_HIGHEST_PORT = 65535
_HEALTH = ("none", "starting", "healthy", "unhealthy")


def select(
    containers: Iterable[Container],
    filters: Filters,
    *,
    show_all: bool,
    limit: int,
    find: Callable[[str], Container],
    ancestors: Callable[[str], Collection[str]],
    linked: Mapping[str, Collection[str]],
) -> list[Container]:
    """Newest first. `ancestors` gives the identifiers of images built on the one named.

    `linked` are the names that others have for containers, by identifier.

    Raises InvalidParameter for values a filter cannot have.
    """
    _check(filters)
    before = min((find(name).definition.created_ns for name in filters.get("before")), default=None)
    since = max((find(name).definition.created_ns for name in filters.get("since")), default=None)
    images = _images(filters, ancestors)
    everything = show_all or limit > 0 or "status" in filters
    chosen = [
        container
        for container in sorted(containers, key=lambda c: c.definition.created_ns, reverse=True)
        if (everything or container.state.running or container.state.status is Status.RESTARTING)
        and (before is None or container.definition.created_ns < before)
        and (since is None or container.definition.created_ns > since)
        and (images is None or container.definition.image_id in images)
        and _matches(container, filters)
        and _name_matches(container.name, linked.get(container.id, ()), filters)
    ]
    return chosen[:limit] if limit > 0 else chosen


def _check(filters: Filters) -> None:
    for status in filters.get("status"):
        if status not in tuple(Status):
            raise InvalidParameter(f"invalid filter 'status={status}'")
    for code in filters.get("exited"):
        if parse_whole(code) is None:
            raise InvalidParameter(f"invalid filter 'exited={code}'")
    for health in filters.get("health"):
        if health not in _HEALTH:
            raise InvalidParameter(f"invalid filter 'health={health}'")
    for key in ("publish", "expose"):
        for text in filters.get(key):
            if _span(text) is None:
                raise InvalidParameter(f"error while looking up for {key} {text}: invalid port range")
    filters.flag("is-task")


def _images(filters: Filters, ancestors: Callable[[str], Collection[str]]) -> set[str] | None:
    if "ancestor" not in filters:
        return None
    images: set[str] = set()
    for name in filters.get("ancestor"):
        try:
            images.update(ancestors(name))
        except (NotFound, InvalidParameter):
            # As dockerd: nothing is built on what is no image, be it for its name.
            continue
    return images


def _matches(container: Container, filters: Filters) -> bool:
    definition, state = container.definition, container.state
    return (
        _id_matches(container, filters)
        and filters.exact("status", state.status)
        and filters.labels(definition.config.labels)
        and _exited(container, filters)
        and filters.exact("health", state.health.status if state.health else "none")
        and filters.flag("is-task") is not True
        and _volumes(container, filters)
        and _networks(container, filters)
        and _port_matches(container, filters)
    )


def _name_matches(name: str, linked: Collection[str], filters: Filters) -> bool:
    written = [shown for full in (f"/{name}", *linked) for shown in (full, full.removeprefix("/"))]
    return "name" not in filters or any(filters.fuzzy("name", shown) for shown in written)


def _id_matches(container: Container, filters: Filters) -> bool:
    accepted = filters.get("id")
    return not accepted or any(container.id.startswith(prefix) for prefix in accepted)


def _exited(container: Container, filters: Filters) -> bool:
    accepted = filters.get("exited")
    if not accepted:
        return True
    state = container.state
    return state.status is Status.EXITED and state.exit_code in map(int, accepted)


def _volumes(container: Container, filters: Filters) -> bool:
    accepted = filters.get("volume")
    present = {
        name
        for mount in container.definition.mounts
        for name in (mount.name or mount.source, mount.destination)
    }
    return not accepted or not present.isdisjoint(accepted)


def _networks(container: Container, filters: Filters) -> bool:
    accepted = filters.get("network")
    if not accepted:
        return True
    joined = container.state.joined
    endpoints = joined.networks if joined else container.definition.networks
    known = [endpoint.network_id for endpoint in endpoints.values()]
    return any(
        wanted in endpoints or any(identifier.startswith(wanted) for identifier in known)
        for wanted in accepted
    )


def _port_matches(container: Container, filters: Filters) -> bool:
    """Where both kinds are asked for, one of them is enough."""
    if "publish" not in filters and "expose" not in filters:
        return True
    exposed = container.definition.config.exposed_ports or {}
    return _meets(filters.get("publish"), _published(container)) or _meets(filters.get("expose"), exposed)


def _published(container: Container) -> set[str]:
    """The container's own ports, wished for or given when it was started."""
    joined = container.state.joined
    given = {name for name, bindings in (joined.ports if joined else {}).items() if bindings}
    return given | set(container.definition.host.port_bindings or {})


def _meets(wanted: Collection[str], present: Collection[str]) -> bool:
    spans = [_span(text) for text in wanted]
    return any(_meet(span, _span(port)) for span in spans for port in present)


_Span = tuple[int, int, str]


def _span(text: str) -> _Span | None:
    """First and last port and protocol of "80", "8000-8010" or "53/udp"; None where it is no such thing."""
    numbers, _, protocol = text.partition("/")
    low, _, high = numbers.partition("-")
    first, last = parse_whole(low), parse_whole(high or low)
    if first is None or last is None or not 0 <= first <= last <= _HIGHEST_PORT:
        return None
    return first, last, protocol or "tcp"


def _meet(one: _Span | None, other: _Span | None) -> bool:
    return (
        one is not None
        and other is not None
        and one[2] == other[2]
        and one[0] <= other[1]
        and other[0] <= one[1]
    )
