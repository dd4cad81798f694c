"""The containers this daemon knows, by identifier, name and prefix."""

from collections.abc import Iterator

from lading.containers.record import Container
from lading.errors import Conflict, InvalidParameter, NotFound
from lading.ids import may_be_id_prefix


class Registry:
    """Finding containers the way users name them."""

    def __init__(self) -> None:
        self._by_id: dict[str, Container] = {}
        self._by_name: dict[str, Container] = {}

    def __iter__(self) -> Iterator[Container]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, container_id: str) -> bool:
        return container_id in self._by_id

    @property
    def names(self) -> dict[str, Container]:
        return self._by_name

    def add(self, container: Container) -> None:
        self._by_id[container.id] = container
        self._by_name[container.name] = container

    def discard(self, container: Container) -> None:
        self._by_id.pop(container.id, None)
        if self._by_name.get(container.name) is container:
            del self._by_name[container.name]

    def rename(self, container: Container, name: str) -> None:
        del self._by_name[container.name]
        container.name = name
        self._by_name[name] = container

    def get(self, container_id: str) -> Container | None:
        """By full identifier only."""
        return self._by_id.get(container_id)

    def find(self, reference: str) -> Container:
        """By identifier, then name, then unambiguous prefix of an identifier.

        Raises NotFound, or InvalidParameter for an ambiguous prefix.
        """
        found = self._by_id.get(reference) or self._by_name.get(reference.removeprefix("/"))
        if found is not None:
            return found
        if may_be_id_prefix(reference):
            candidates = [container for key, container in self._by_id.items() if key.startswith(reference)]
            if len(candidates) == 1:
                return candidates[0]
            if candidates:
                raise InvalidParameter(f"multiple IDs found with provided prefix: {reference}")
        raise NotFound(f"No such container: {reference}")

    def check_free(self, name: str) -> None:
        """Raises Conflict, as docker words it, where a container has this name."""
        if (holder := self._by_name.get(name)) is not None:
            raise Conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{holder.id}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )
