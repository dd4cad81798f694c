"""A repository that is made in the thread that first asks it.

To load the client, to look names up and to read certificates takes its time, which the
loop that hands repositories out does not have.
"""

import threading
from collections.abc import Callable, Collection, Iterator

from lading.distribution.repository import BlobReader, Repository
from lading.distribution.values import Fetched
from lading.oci.image import Descriptor


class DeferredRepository(Repository):
    """Delegates to what `make` gives. What `make` raises, the first question raises."""

    def __init__(self, make: Callable[[], Repository]) -> None:
        self._make = make
        self._made: Repository | None = None
        self._aborted = False
        self._making = threading.Lock()

    def _it(self) -> Repository:
        with self._making:
            if self._made is None:
                self._made = self._make()
                if self._aborted:
                    self._made.abort()
            return self._made

    def abort(self) -> None:
        self._aborted = True
        if self._made is not None:
            self._made.abort()

    def manifest(self, reference: str, accept: Collection[str] = ()) -> Fetched:
        return self._it().manifest(reference, accept)

    def describe(self, reference: str) -> Descriptor:
        return self._it().describe(reference)

    def blob(self, descriptor: Descriptor, offset: int = 0) -> BlobReader:
        return self._it().blob(descriptor, offset)

    def blob_size(self, digest: str) -> int | None:
        return self._it().blob_size(digest)

    def mount(self, digest: str, source: str) -> bool:
        return self._it().mount(digest, source)

    def upload(
        self, digest: str, size: int, read: Callable[[int], Iterator[bytes]], sent: Callable[[int], None]
    ) -> None:
        self._it().upload(digest, size, read, sent)

    def put_manifest(self, reference: str, body: bytes, media_type: str) -> str:
        return self._it().put_manifest(reference, body, media_type)

    def tags(self) -> Iterator[str]:
        return self._it().tags()
