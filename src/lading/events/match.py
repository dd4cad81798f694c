"""Which messages a client wants to hear of. Pure.

Source: Engine API 1.51, SystemEvents, and dockerd's ways where that is silent.
"""

from lading.events.message import Message
from lading.filters import Filters

_OBJECTS = ("daemon", "container", "plugin", "volume", "network", "node", "service", "secret", "config")
# Their actions carry a detail after a colon: "exec_create: ls", "health_status: healthy".
_DETAILED = ("exec_create", "exec_start", "health_status")

FILTERS = frozenset((*_OBJECTS, "image", "type", "event", "action", "label", "scope"))
"""The filters `GET /events` knows."""


def matches(message: Message, filters: Filters) -> bool:
    """Whether `message` passes every filter given."""
    return (
        filters.exact("type", message.kind)
        and _action(message.action, filters.get("event"))
        and _action(message.action, filters.get("action"))
        and filters.exact("scope", message.scope)
        and all(_named(message, filters.get(kind)) for kind in _OBJECTS)
        and _of_image(message, filters.get("image"))
        and filters.labels(message.attributes)
    )


def _action(action: str, wanted: tuple[str, ...]) -> bool:
    """A detailed action is also meant by its bare name; then every value counts as a beginning."""
    if any(name in _DETAILED for name in wanted):
        return action.startswith(wanted)
    return not wanted or action in wanted


def _named(message: Message, wanted: tuple[str, ...]) -> bool:
    """By identifier or name, each also by how it begins."""
    return (
        not wanted
        or message.actor_id.startswith(wanted)
        or message.attributes.get("name", "").startswith(wanted)
    )


def _of_image(message: Message, wanted: tuple[str, ...]) -> bool:
    """News of an image or of a container made from it, by identifier or by name with or without its tag."""
    if not wanted:
        return True
    name = message.attributes.get("name" if message.kind == "image" else "image", "")
    known = (message.actor_id, name, _repository(message.actor_id), _repository(name))
    return any(text in wanted for text in known)


def _repository(reference: str) -> str:
    """A reference as people call it, without registry default, tag and digest."""
    name = reference.partition("@")[0]
    path, slash, last = name.rpartition("/")
    name = f"{path}{slash}{last.partition(':')[0]}"
    return name.removeprefix("docker.io/").removeprefix("library/")
