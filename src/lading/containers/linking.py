"""Linked containers: found when one is created, made known inside when it starts."""

from collections.abc import Iterator

from lading.containers.context import Context
from lading.containers.links import full_name, host_names, link_env, parse_link
from lading.containers.record import Container, Link
from lading.errors import Conflict, InvalidParameter, NotFound
from lading.schema.container import HostConfig

_NETWORK = "bridge"
_LINKS_BY_NAME = ("bridge", "default", "")


def find_links(ctx: Context, host: HostConfig) -> list[Link]:
    """The containers `host.links` names. Raises InvalidParameter."""
    found: dict[str, Link] = {}
    # Elsewhere names are the network's own to resolve.
    for text in (host.links or ()) if host.network_mode in _LINKS_BY_NAME else ():
        name, alias = parse_link(text)
        child = _whose_network(ctx, _find(ctx, name))
        if child.definition.host.network_mode == "host":
            raise InvalidParameter(
                "conflicting options: host type networking can't be used with links. "
                "This would result in undefined behavior"
            )
        found.setdefault(alias, Link(container=child.id, alias=alias))
    return list(found.values())


def _find(ctx: Context, name: str) -> Container:
    try:
        return ctx.registry.find(name)
    except NotFound as error:
        # Not found would mean to clients that the image is missing.
        raise InvalidParameter(f"could not get container for {name}: {error.message}") from None


def _whose_network(ctx: Context, container: Container) -> Container:
    """The container itself, or the one whose network it shares."""
    while (mode := container.definition.host.network_mode).startswith("container:"):
        container = _find(ctx, mode.partition(":")[2])
    return container


def children(ctx: Context, parent: Container) -> Iterator[tuple[Link, Container]]:
    """The links of a container that lead somewhere still."""
    for link in parent.definition.links:
        child = ctx.registry.get(link.container)
        if child is not None:
            yield link, child


def parents(ctx: Context, child: Container) -> Iterator[tuple[Link, Container]]:
    """The links that lead to a container."""
    for parent in ctx.registry:
        for link in parent.definition.links:
            if link.container == child.id:
                yield link, parent


def check_links(ctx: Context, container: Container) -> None:
    """Raises Conflict where a linked container does not run."""
    for link, child in children(ctx, container):
        if not child.state.running:
            name = full_name(container, link)
            raise Conflict(f"Cannot link to a non running container: /{child.name} AS {name}")


def linked_env(ctx: Context, container: Container) -> list[str]:
    """Variables for every process of a container, about the linked ones that run."""
    found: list[str] = []
    for link, child in children(ctx, container):
        if not child.state.running:
            continue
        name = full_name(container, link)
        config = child.definition.config
        found += link_env(name, _address(child), config.exposed_ports or (), config.env or ())
    return found


def linked_hosts(ctx: Context, container: Container) -> list[tuple[str, str]]:
    """Address and names of each linked container that runs, for /etc/hosts."""
    return [
        (_address(child), host_names(link, child))
        for link, child in children(ctx, container)
        if child.state.running
    ]


def _address(child: Container) -> str:
    joined = child.state.joined
    endpoint = joined.networks.get(_NETWORK) if joined else None
    if endpoint is None:
        raise Conflict(f"Cannot link to /{child.name}, as it does not belong to the default network")
    return endpoint.ip_address


def shown_links(ctx: Context, container: Container) -> list[str] | None:
    """`HostConfig.Links` as inspect shows them: "/db:/web/db"."""
    return [f"/{child.name}:{full_name(container, link)}" for link, child in children(ctx, container)] or None


def link_names(ctx: Context) -> dict[str, list[str]]:
    """What containers are called by those that link to them, by ID."""
    found: dict[str, list[str]] = {}
    for parent in ctx.registry:
        for link in parent.definition.links:
            found.setdefault(link.container, []).append(full_name(parent, link))
    return found


def find_by_link(ctx: Context, name: str) -> tuple[Container, Link]:
    """The parent and link that "/web/db" names. Raises NotFound or InvalidParameter."""
    parent_name, slash, alias = name.strip("/").rpartition("/")
    if not slash:
        raise InvalidParameter("Conflict, cannot remove the default link name of the container")
    try:
        parent = ctx.registry.find(parent_name)
    except NotFound:
        raise NotFound(f"Cannot get parent /{parent_name} for link name /{parent_name}/{alias}") from None
    for link in parent.definition.links:
        if link.alias == alias:
            return parent, link
    raise NotFound(f"No such container: {name}")
