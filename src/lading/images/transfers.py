"""The second front door of the room: images between this engine, registries and archives."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from lading.aio import tasks
from lading.distribution import Credentials, Login, Registries, SearchResult
from lading.filters import Filters
from lading.images import distribution, remote_manifests, save
from lading.images.context import Context
from lading.images.import_url import Importing, import_url
from lading.images.pull import Puller
from lading.images.pull_progress import Message
from lading.images.push import Pusher, PushOrder
from lading.images.push_uploads import Uploads
from lading.images.reference import parse, parse_repository
from lading.images.searching import search_limit, wish
from lading.oci.image import Platform


class ImageTransfers:
    """Pull, push, save and what else registries are asked. Loop thread."""

    def __init__(self, ctx: Context, registries: Registries, downloads: int = 3, uploads: int = 5) -> None:
        self._ctx = ctx
        self._registries = registries
        self._puller = Puller(ctx, registries, downloads)
        self._uploads = Uploads(registries, uploads)
        self._pusher = Pusher(ctx, self._uploads)

    def pull(
        self, name: str, tag: str = "", platform: str = "", credentials: Credentials | None = None
    ) -> AsyncGenerator[Message, None]:
        """Pulls an image, or all tags where neither name nor `tag` says one; gives docker's messages.

        `platform` is os[/arch[/variant]]. Raises LadingError. Close the iterator if it
        is not read to its end: only that stops the work.
        """
        return self._puller.pull(name, tag, platform, credentials)

    def import_url(self, url: str, importing: Importing) -> AsyncIterator[Message]:
        """Fetches an archive and has it imported by `importing`; gives docker's messages.

        Raises LadingError. Close the iterator as that of `pull`.
        """
        return import_url(self._registries, url, importing)

    def push(
        self,
        name: str,
        tag: str = "",
        platform: Platform | None = None,
        credentials: Credentials | None = None,
    ) -> AsyncIterator[Message]:
        """Pushes an image, or all tags of a repository where none is given; gives docker's messages.

        Raises InvalidParameter and NotFound at once, LadingError from the iterator, which is
        to be closed as that of `pull`.
        """
        target = parse_repository(name, tag) if tag else parse(name)
        order = PushOrder(target, credentials, platform)
        self._pusher.check(order)
        return self._pusher.push(order)

    async def distribution(self, name: str, credentials: Credentials | None = None) -> distribution.Answer:
        """What a registry has under a name. Raises LadingError."""
        return await distribution.inspect(self._registries, name, credentials)

    async def manifest(
        self, name: str, credentials: Credentials | None = None, *, insecure: bool = False
    ) -> remote_manifests.Answer:
        """The manifest or index a registry has under a name, its bytes too. Raises LadingError."""
        return await remote_manifests.fetch(self._registries, name, credentials, insecure=insecure)

    async def put_manifest(
        self,
        name: str,
        wanted: remote_manifests.PutManifest,
        credentials: Credentials | None = None,
        *,
        insecure: bool = False,
    ) -> str:
        """Gives a registry a manifest or an index under a name; its digest. Raises LadingError."""
        return await remote_manifests.put(self._registries, name, wanted, credentials, insecure=insecure)

    async def save(self, names: Sequence[str], platforms: Sequence[Platform] = ()) -> AsyncIterator[bytes]:
        """One archive of all images named. Raises NotFound and InvalidParameter before it gives anything.

        Close the iterator if it is not read to its end.
        """
        return await save.save(self._ctx, names, platforms)

    def limit(self, downloads: int, uploads: int) -> None:
        """Other numbers of layers that are fetched and pushed at a time."""
        self._puller.limit(downloads)
        self._uploads.limit(uploads)

    async def login(self, credentials: Credentials) -> Login:
        """Whether a registry takes the credentials. Raises Unauthorized, LadingError."""
        return await tasks.in_own_thread(self._registries.login, credentials)

    async def search(
        self, term: str, limit: int, filters: Filters, credentials: Credentials | None = None
    ) -> list[SearchResult]:
        """Repositories that fit; a limit of 0 means docker's own. Raises InvalidParameter, LadingError."""
        wanted, most = wish(filters), search_limit(limit)
        if wanted.automated:
            return []
        return wanted.choose(await tasks.in_own_thread(self._registries.search, term, most, credentials))

    async def close(self) -> None:
        """Ends what is under way."""
        await self._puller.close()
        await self._uploads.close()
        await self._pusher.close()
