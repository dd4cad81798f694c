"""The front door of the room."""

import importlib

from lading.distribution.contract import Client
from lading.distribution.deferred import DeferredRepository
from lading.distribution.endpoints import check_host
from lading.distribution.repository import BlobReader, Repository
from lading.distribution.values import Credentials, Login, RegistrySettings, SearchResult


class Registries:
    """All registries, as one daemon is set up to ask them. Blocks; any thread."""

    def __init__(self, settings: RegistrySettings | None = None) -> None:
        self._settings = settings or RegistrySettings()
        self._client: Client | None = None

    @property
    def settings(self) -> RegistrySettings:
        """What holds for questions from now on."""
        return self._settings

    def reload(self, settings: RegistrySettings) -> None:
        """Other settings; repositories that were handed out keep theirs."""
        self._settings = settings
        self._client = None

    def repository(
        self, domain: str, path: str, credentials: Credentials | None = None, *, push: bool = False
    ) -> Repository:
        """A repository such as `docker.io`, `library/busybox`. Asks nothing yet, and does not block.

        Raises InvalidParameter for a domain that cannot be.
        """
        check_host(domain)
        client = self._open
        return DeferredRepository(lambda: client().repository(domain, path, credentials, push=push))

    def download(self, url: str) -> BlobReader:
        """A file from the web. Raises LadingError."""
        return self._open().download(url)

    def login(self, credentials: Credentials) -> Login:
        """Whether the registry takes the credentials. Raises Unauthorized, LadingError."""
        return self._open().login(credentials)

    def search(self, term: str, limit: int, credentials: Credentials | None = None) -> list[SearchResult]:
        """Repositories that fit. Raises LadingError."""
        return self._open().search(term, limit, credentials)

    def _open(self) -> Client:
        client = self._client
        if client is None:
            # Only now: an HTTP client with TLS takes megabytes that an idle daemon does not need.
            client = importlib.import_module("lading.distribution.client").WebClient(self._settings)
            self._client = client
        return client
