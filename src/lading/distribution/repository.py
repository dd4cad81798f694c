"""One repository at one registry."""

from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from lading.distribution.values import Fetched
from lading.oci.image import Descriptor


class BlobReader(Protocol):
    """A blob on its way. Used from one thread, but for `abort`."""

    offset: int
    """Where in the blob the first piece lies: what was asked for, or 0 where the registry knows no ranges."""
    size: int
    """Of the whole blob in bytes; -1 where the registry does not say."""

    def read(self) -> bytes:
        """The next piece as it came, empty at the end. Raises Interrupted."""
        ...

    def close(self) -> None:
        """Ends the transfer."""

    def abort(self) -> None:
        """Makes a `read` that waits return or raise at once. Any thread."""


class Repository(Protocol):
    """Asks the endpoints of a registry in their order. Blocks; any thread.

    Requests that may be repeated are, with growing pauses; what still fails raises
    Interrupted. Every method raises NotFound, Unauthorized, Forbidden and LadingError,
    worded as docker's.
    """

    def abort(self) -> None:
        """Ends pauses and transfers under way; what is asked from now on raises Interrupted. Any thread."""

    def manifest(self, reference: str, accept: Collection[str] = ()) -> Fetched:
        """A manifest or an index by tag or digest, verified."""
        ...

    def describe(self, reference: str) -> Descriptor:
        """Media type, digest and size of a manifest, without fetching it where the registry can."""
        ...

    def blob(self, descriptor: Descriptor, offset: int = 0) -> BlobReader:
        """A blob from `offset` on; foreign layers from their URLs."""
        ...

    def blob_size(self, digest: str) -> int | None:
        """Of a blob that is there; None where it is not."""
        ...

    def mount(self, digest: str, source: str) -> bool:
        """Whether the registry took over a blob of the repository `source`."""
        ...

    def upload(
        self, digest: str, size: int, read: Callable[[int], Iterator[bytes]], sent: Callable[[int], None]
    ) -> None:
        """Uploads a blob that is not there.

        `read(offset)` gives its bytes from there on; `sent` hears how many are through,
        and may raise to stop.
        """
        ...

    def put_manifest(self, reference: str, body: bytes, media_type: str) -> str:
        """Uploads a manifest or an index under a tag or its digest; gives its digest."""
        ...

    def tags(self) -> Iterator[str]:
        """Every tag, page by page."""
        ...
