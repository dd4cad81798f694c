"""A repository at a registry reached over HTTP."""

from collections.abc import Callable, Collection, Iterator

from lading.distribution import blobs, manifests
from lading.distribution.blobs import WebBlob
from lading.distribution.repository import BlobReader, Repository
from lading.distribution.session import Session
from lading.distribution.transport import Transport
from lading.distribution.uploads import Uploads
from lading.distribution.values import Fetched
from lading.errors import LadingError
from lading.oci.image import Descriptor


class WebRepository(Repository):
    """Delegates; `elsewhere` makes connections to others than the registry."""

    def __init__(self, session: Session, elsewhere: Callable[[], Transport]) -> None:
        self._session = session
        self._elsewhere = elsewhere
        self._uploads = Uploads(session)

    def abort(self) -> None:
        self._session.abort()

    def manifest(self, reference: str, accept: Collection[str] = ()) -> Fetched:
        return manifests.fetch(self._session, reference, accept)

    def describe(self, reference: str) -> Descriptor:
        return manifests.describe(self._session, reference)

    def blob(self, descriptor: Descriptor, offset: int = 0) -> BlobReader:
        if descriptor.urls:
            try:
                return self._foreign(descriptor, offset)
            except LadingError as error:
                # Many registries are given such layers too.
                if blobs.size_of(self._session, descriptor.digest) is None:
                    raise error from None
        return blobs.open_blob(self._session, descriptor, offset)

    def _foreign(self, descriptor: Descriptor, offset: int) -> WebBlob:
        return blobs.open_foreign(self._elsewhere(), descriptor, offset)

    def blob_size(self, digest: str) -> int | None:
        return blobs.size_of(self._session, digest)

    def mount(self, digest: str, source: str) -> bool:
        return self._uploads.mount(digest, source)

    def upload(
        self, digest: str, size: int, read: Callable[[int], Iterator[bytes]], sent: Callable[[int], None]
    ) -> None:
        self._uploads.upload(digest, size, read, sent)

    def put_manifest(self, reference: str, body: bytes, media_type: str) -> str:
        return manifests.put(self._session, reference, body, media_type)

    def tags(self) -> Iterator[str]:
        return manifests.tags(self._session)
