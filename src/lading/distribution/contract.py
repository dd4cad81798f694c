"""What stands behind the front door."""

from typing import Protocol

from lading.distribution.repository import BlobReader, Repository
from lading.distribution.values import Credentials, Login, SearchResult


class Client(Protocol):
    """Registries over the network."""

    def repository(
        self, domain: str, path: str, credentials: Credentials | None, *, push: bool
    ) -> Repository: ...

    def download(self, url: str) -> BlobReader: ...

    def login(self, credentials: Credentials) -> Login: ...

    def search(self, term: str, limit: int, credentials: Credentials | None) -> list[SearchResult]: ...
