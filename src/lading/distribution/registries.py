"""The front door of the room."""

from lading.distribution.repository import Repository
from lading.distribution.values import Credentials, Login, RegistrySettings, SearchResult


class Registries:
    """All registries, as one daemon is set up to ask them. Blocks; any thread."""

    def __init__(self, settings: RegistrySettings | None = None) -> None:
        self._settings = settings or RegistrySettings()

    def repository(
        self, domain: str, path: str, credentials: Credentials | None = None, *, push: bool = False
    ) -> Repository:
        """A repository such as `docker.io`, `library/busybox`. Asks nothing yet."""
        raise NotImplementedError

    def login(self, credentials: Credentials) -> Login:
        """Whether the registry takes the credentials. Raises Unauthorized, LadingError."""
        raise NotImplementedError

    def search(self, term: str, limit: int, credentials: Credentials | None = None) -> list[SearchResult]:
        """Repositories that fit. Raises LadingError."""
        raise NotImplementedError
