"""Blobs on their way to registries, shared by the pushes that want them there.

One upload of a blob to a repository at a time, and at most so many at once in
the daemon. What nobody waits for any more is stopped.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lading.aio import tasks
from lading.distribution import Credentials, Registries, Repository
from lading.errors import InternalError, LadingError
from lading.images.reference import Reference
from lading.oci.image import Descriptor

EXISTS = "Layer already exists"
PUSHED = "Pushed"

_PIECE = 1 << 20


class _Stopped(Exception):
    """Nobody waits for this upload any more."""


@dataclass(frozen=True, slots=True)
class Listener:
    """What one push wants to know of an upload.

    `moving` is called from another thread with the bytes done and all bytes.
    """

    waiting: Callable[[], None]
    moving: Callable[[int, int], None]


@dataclass(eq=False, slots=True)
class Lease:
    """A repository for as long as any push works with it."""

    repository: Repository
    users: int = 0


@dataclass(eq=False, slots=True)
class _Upload:
    """One blob, and who waits for it."""

    blob: Descriptor
    path: str
    sources: Sequence[str]
    listeners: list[Listener] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    outcome: "asyncio.Task[str] | None" = None

    def read(self, offset: int) -> Iterator[bytes]:
        """The blob's bytes from `offset` on. Raises InternalError."""
        try:
            with open(self.path, "rb", buffering=0) as file:
                file.seek(offset)
                while piece := file.read(_PIECE):
                    yield piece
        except OSError as error:
            raise InternalError(f"cannot read blob {self.blob.digest}: {error.strerror}") from None

    def sent(self, done: int) -> None:
        """Tells everybody how far it is. Raises to stop."""
        if self.stop.is_set():
            raise _Stopped
        for listener in tuple(self.listeners):
            listener.moving(done, self.blob.size)


class Uploads:
    """All uploads of the daemon. Loop thread."""

    def __init__(self, registries: Registries, at_once: int) -> None:
        self._registries = registries
        self._slots = asyncio.Semaphore(max(1, at_once))
        self._leases: dict[tuple[str, str, Credentials | None], Lease] = {}
        self._under_way: dict[tuple[Lease, str], _Upload] = {}

    def limit(self, at_once: int) -> None:
        """Another number of uploads at a time; those that run or wait already keep to the old one."""
        self._slots = asyncio.Semaphore(max(1, at_once))

    @asynccontextmanager
    async def lease(self, target: Reference, credentials: Credentials | None) -> AsyncIterator[Lease]:
        """The repository of a name, to be pushed to; what is left of its requests ends with the last user."""
        key = (target.domain, target.path, credentials)
        lease = self._leases.get(key)
        if lease is None:
            repository = self._registries.repository(target.domain, target.path, credentials, push=True)
            lease = self._leases[key] = Lease(repository)
        lease.users += 1
        try:
            yield lease
        finally:
            lease.users -= 1
            if not lease.users:
                del self._leases[key]
                lease.repository.abort()

    async def upload(
        self, lease: Lease, blob: Descriptor, path: str, sources: Sequence[str], listener: Listener
    ) -> str:
        """Sees to it that the registry has the blob at `path`; tells how, in docker's words.

        `sources` are repositories there which may have it already. Raises LadingError.
        """
        key = (lease, blob.digest)
        upload = self._under_way.get(key)
        if upload is None:
            upload = self._under_way[key] = _Upload(blob, path, sources)
            work = self._run(lease.repository, upload)
            upload.outcome = asyncio.get_running_loop().create_task(work, name=f"upload {blob.digest}")
            upload.outcome.add_done_callback(lambda _: self._forget(key, upload))
        upload.listeners.append(listener)
        assert upload.outcome is not None
        try:
            return await asyncio.shield(upload.outcome)
        finally:
            upload.listeners.remove(listener)
            if not upload.listeners:
                upload.stop.set()
                upload.outcome.cancel()
                self._forget(key, upload)

    def _forget(self, key: tuple[Lease, str], upload: _Upload) -> None:
        if self._under_way.get(key) is upload:
            del self._under_way[key]

    async def _run(self, repository: Repository, upload: _Upload) -> str:
        if self._slots.locked():
            for listener in upload.listeners:
                listener.waiting()
        async with self._slots:
            return await tasks.in_own_thread(_bring, repository, upload)

    async def close(self) -> None:
        """Stops all of them."""
        for lease in self._leases.values():
            lease.repository.abort()
        for upload in list(self._under_way.values()):
            upload.stop.set()
            if upload.outcome is not None:
                upload.outcome.cancel()


def _bring(repository: Repository, upload: _Upload) -> str:
    """Brings one blob to a registry, in a thread of its own."""
    digest = upload.blob.digest
    if repository.blob_size(digest) is not None:
        return EXISTS
    for source in upload.sources:
        if _mounted(repository, digest, source):
            return f"Mounted from {source}"
    upload.sent(0)
    repository.upload(digest, upload.blob.size, upload.read, upload.sent)
    return PUSHED


def _mounted(repository: Repository, digest: str, source: str) -> bool:
    try:
        return repository.mount(digest, source)
    except LadingError:
        # It may be gone from there, or not be ours to read: then it is uploaded.
        return False
