"""Pulling images from registries: `docker pull`.

All layers are fetched, verified and unpacked side by side; then one
transaction makes the image exist. Source: moby's `distribution/pull_v2.go` for
the order of steps and the words.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from lading.aio import tasks
from lading.distribution import (
    Credentials,
    Fetched,
    Interrupted,
    Registries,
    RegistrySettings,
    Repository,
    TooManyRequests,
)
from lading.errors import Forbidden, InvalidParameter, LadingError, Unauthorized
from lading.images import machine, manifests, pull_plan
from lading.images.admit import Arrival
from lading.images.context import Context
from lading.images.intake import ArrivedLayer
from lading.images.layer_fetch import WrongSize
from lading.images.layer_transfers import LayerTransfers, Seat
from lading.images.pull_plan import Plan
from lading.images.pull_progress import Message, line, short, update
from lading.images.reference import Reference
from lading.oci import image as oci
from lading.oci.image import Platform

T = TypeVar("T")
Say = Callable[[Message], None]

# Messages that wait for a slow client; from there on progress is left out.
_BACKLOG = 512
# Seconds; a registry that wants more is not waited for.
_LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class _Pull:
    """One call: what is wanted from where, and who listens."""

    reference: Reference
    wanted: Platform
    asked: bool
    repository: Repository
    settings: RegistrySettings
    say: Say
    quiet: Callable[[], bool]
    given_up: threading.Event


@dataclass(slots=True)
class _Layers:
    """The layers of one image on their way, by digest, and how many are here from the lowest up."""

    plan: Plan
    seats: dict[str, Seat] = field(default_factory=dict)
    here: set[str] = field(default_factory=set)
    complete: int = 0


class Puller:
    """Pulls on behalf of one daemon. Loop thread."""

    def __init__(self, ctx: Context, registries: Registries, downloads: int) -> None:
        self._ctx = ctx
        self._registries = registries
        self._transfers = LayerTransfers(ctx.content, ctx.snapshots, lambda: registries.settings, downloads)
        self._admitting = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()

    def limit(self, downloads: int) -> None:
        """Another number of layers at a time."""
        self._transfers.limit(downloads)

    async def pull(
        self, name: str, tag: str, platform: str, credentials: Credentials | None
    ) -> AsyncGenerator[Message, None]:
        """Pulls one image or all tags, giving docker's messages. Raises LadingError.

        Close the iterator if it is not read to its end: only that stops the work.
        """
        reference = pull_plan.wanted_reference(name, tag)
        wanted = pull_plan.parse_platform(platform, machine.host()) if platform else machine.host()
        if wanted.os != "linux":
            raise InvalidParameter("operating system is not supported")
        if reference.familiar_name == "scratch":
            raise Forbidden("'scratch' is a reserved name")
        messages: asyncio.Queue[Message | None] = asyncio.Queue()
        with self._ctx.admission.under_way():
            working = asyncio.create_task(
                self._work(reference, wanted, bool(platform), credentials, messages)
            )
            self._under_way.add(working)
            working.add_done_callback(lambda _: messages.put_nowait(None))
            try:
                while (message := await messages.get()) is not None:
                    yield message
                await working
            finally:
                working.cancel()
                await asyncio.wait([working])
                self._under_way.discard(working)

    async def close(self) -> None:
        """Ends every pull."""
        for working in list(self._under_way):
            working.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._transfers.close()

    async def _work(
        self,
        reference: Reference,
        wanted: Platform,
        asked: bool,
        credentials: Credentials | None,
        messages: "asyncio.Queue[Message | None]",
    ) -> None:
        repository = await _ask(
            partial(self._registries.repository, reference.domain, reference.path, credentials)
        )
        say = messages.put_nowait
        given_up = threading.Event()
        pull = _Pull(
            reference,
            wanted,
            asked,
            repository,
            self._registries.settings,
            say,
            lambda: messages.qsize() > _BACKLOG,
            given_up,
        )
        try:
            newer = await self._pull_all(pull)
        except asyncio.CancelledError:
            given_up.set()
            self._abandon(repository)
            raise
        except (Unauthorized, Forbidden, TooManyRequests) as error:
            # dockerd answers so. With 401 its clients would ask for a password, for any registry.
            raise LadingError(error.message) from None
        result = "Downloaded newer image for" if newer else "Image is up to date for"
        say(line(f"Status: {result} {reference.familiar}"))
        self._announce(pull)

    async def _pull_all(self, pull: _Pull) -> bool:
        """Pulls what the reference means; tells whether any name means another image now."""
        reference, newer = pull.reference, False
        if reference.tag or reference.digest:
            return await self._pull_one(pull)
        for tag in await _ask(lambda: list(pull.repository.tags())):
            newer |= await self._pull_one(replace(pull, reference=reference.with_tag(tag)))
        return newer

    def _abandon(self, repository: Repository) -> None:
        """Ends what a pull that was given up still asks, unless others wait for it too."""
        if not self._transfers.uses(repository):
            repository.abort()

    def _announce(self, pull: _Pull) -> None:
        """The event, and docker's warning where one image for one platform is not for the one wanted."""
        reference = pull.reference
        attributes: dict[str, str] = {}
        target = self._ctx.store.target(reference.stored())
        image = self._ctx.catalog.get(target) if target else None
        if image is not None:
            attributes.update(image.labels)
            warning = pull_plan.mismatch_warning(image.document, pull.wanted, reference.familiar)
            if pull.asked and warning:
                pull.say(line(warning))
        attributes["name"] = reference.familiar_name
        self._ctx.publish("image", "pull", reference.familiar, attributes)

    async def _pull_one(self, pull: _Pull) -> bool:
        """Pulls one tag or digest; tells whether it means another image now."""
        reference, repository = pull.reference, pull.repository
        fetched = await _ask(partial(repository.manifest, reference.digest or reference.tag))
        pull_plan.check_class(fetched)
        shown = str(reference) if reference.digest else reference.tag
        pull.say(line(f"Pulling from {reference.path}", shown))
        plan = await self._resolve(pull, fetched)
        before = self._ctx.store.target(reference.stored())
        references = list(dict.fromkeys([reference.stored(), replace(reference, tag="", digest=plan.digest)]))
        present = self._ctx.catalog.get(plan.config.digest)
        if present is not None and manifests.whole(self._ctx, present):
            await self._again(plan, references)
        else:
            await self._new(pull, plan, references)
        pull.say(line(f"Digest: {plan.digest}"))
        return before != plan.config.digest

    async def _resolve(self, pull: _Pull, fetched: Fetched) -> Plan:
        """Goes down through indexes to a manifest."""
        indexes: list[Fetched] = []
        while pull_plan.is_index(fetched):
            if len(indexes) >= pull_plan.MAX_DEPTH or any(fetched.digest == seen.digest for seen in indexes):
                raise InvalidParameter("image indexes are nested too deeply")
            indexes.append(fetched)
            chosen = pull_plan.choose(fetched, pull.wanted)
            fetched = await _ask(partial(pull.repository.manifest, chosen.digest))
            if chosen.size and chosen.size != len(fetched.body):
                raise WrongSize(len(fetched.body), chosen.size)
        return pull_plan.plan(fetched, indexes, str(pull.reference))

    async def _again(self, plan: Plan, references: list[Reference]) -> None:
        """The image is here already: it gets the names, and its manifest where all of that is here."""
        content = self._ctx.content
        if all(content.has(layer.digest) for layer in plan.layers):
            layers = [ArrivedLayer(layer.digest) for layer in plan.layers]
            await self._admit(content.read(plan.config.digest), plan, layers, references)
            return
        with self._ctx.store.database.transaction():
            for reference in references:
                self._ctx.store.point(reference, plan.config.digest)
        self._ctx.catalog.changed()

    async def _new(self, pull: _Pull, plan: Plan, references: list[Reference]) -> None:
        config = await _ask(partial(_read_config, pull, plan.config))
        document = pull_plan.check_config(config, plan)
        self._ctx.admission.check_depth(len(plan.layers))
        layers = _Layers(plan)
        try:
            await self._fetch(pull, layers)
            async with self._admitting:
                await self._take_in(config, document, layers, references)
        finally:
            for seat in layers.seats.values():
                seat.leave()

    async def _fetch(self, pull: _Pull, layers: _Layers) -> None:
        """Has every layer brought here that is not yet."""
        wanted: dict[str, oci.Descriptor] = {}
        for layer in layers.plan.layers:
            if layer.digest in layers.here or layer.digest in wanted:
                continue
            if self._ctx.content.has(layer.digest):
                layers.here.add(layer.digest)
                pull.say(update(short(layer.digest), "Already exists"))
            else:
                wanted[layer.digest] = layer
        working = [asyncio.create_task(self._fetch_one(pull, layers, layer)) for layer in wanted.values()]
        try:
            await asyncio.gather(*working)
        finally:
            for task in working:
                task.cancel()
            if working:
                await asyncio.wait(working)

    async def _fetch_one(self, pull: _Pull, layers: _Layers, layer: oci.Descriptor) -> None:
        name = short(layer.digest)

        def listen(action: str, current: int, total: int) -> None:
            if not (current and pull.quiet()):
                pull.say(update(name, action, current, total))

        while True:
            seat = await self._transfers.join(pull.repository, layer, listen)
            layers.seats[layer.digest] = seat
            try:
                await seat.arrival()
                break
            except LadingError:
                seat.leave()
                # What failed was another pull's, perhaps from another registry.
                if seat.first:
                    raise
        layers.here.add(layer.digest)
        self._show_complete(pull, layers)

    def _show_complete(self, pull: _Pull, layers: _Layers) -> None:
        """Says so of layers that are here with all below them, as docker unpacks them in that order."""
        listed = layers.plan.layers
        while layers.complete < len(listed) and listed[layers.complete].digest in layers.here:
            digest = listed[layers.complete].digest
            if digest in layers.seats and all(digest != low.digest for low in listed[: layers.complete]):
                pull.say(update(short(digest), "Pull complete"))
            layers.complete += 1

    async def _take_in(
        self, config: bytes, document: oci.Image, layers: _Layers, references: list[Reference]
    ) -> None:
        """Makes the image exist; layers that it does not take in stay for other pulls."""
        taken: list[tuple[Seat, ArrivedLayer]] = []
        arrived = []
        for descriptor in layers.plan.layers:
            seat = layers.seats.get(descriptor.digest)
            layer = ArrivedLayer(descriptor.digest) if seat is None else seat.take()
            if seat is not None:
                taken.append((seat, layer))
            arrived.append(layer)
        try:
            for layer, diff_id in zip(arrived, document.diff_ids, strict=True):
                if layer.diff_id and layer.diff_id != diff_id:
                    raise pull_plan.layers_differ()
            await self._admit(config, layers.plan, arrived, references)
        finally:
            for seat, layer in taken:
                seat.give_back(layer)

    async def _admit(
        self, config: bytes, plan: Plan, layers: list[ArrivedLayer], references: list[Reference]
    ) -> None:
        arrival = Arrival(
            config,
            layers,
            plan.manifest.body,
            plan.config.media_type or oci.CONFIG,
            references=references,
            manifest_type=plan.manifest.media_type or oci.MANIFEST,
            others=[(index.body, index.media_type) for index in plan.indexes],
        )
        admitting = asyncio.create_task(self._ctx.admission.admit(arrival))
        try:
            await asyncio.shield(admitting)
        except asyncio.CancelledError:
            # It has the layers: nobody may touch them before it is through.
            await asyncio.wait([admitting])
            raise


async def _ask(question: Callable[[], T]) -> T:
    """Asks a registry, which may take long, in a thread of its own."""
    return await tasks.in_own_thread(question)


def _read_config(pull: _Pull, descriptor: oci.Descriptor) -> bytes:
    """The image configuration, verified. Blocks. Raises LadingError."""
    try:
        for attempt in range(1, pull.settings.attempts):
            try:
                return _read_blob(pull.repository, descriptor)
            except Interrupted as error:
                pause = max(pull.settings.pause * 2**attempt, error.retry_after)
                if error.retry_after > _LONGEST_PAUSE or pull.given_up.wait(pause):
                    raise
        return _read_blob(pull.repository, descriptor)
    except LadingError as error:
        # The class says under which status the API answers; some take more than a message.
        error.message = f"error pulling image configuration: {error.message}"
        raise


def _read_blob(repository: Repository, descriptor: oci.Descriptor) -> bytes:
    reader = repository.blob(descriptor)
    pieces, size = [], 0
    try:
        while piece := reader.read():
            pieces.append(piece)
            size += len(piece)
            if size > descriptor.size:
                raise WrongSize("more", descriptor.size)
    finally:
        reader.close()
    body = b"".join(pieces)
    if size != descriptor.size:
        raise WrongSize(size, descriptor.size)
    if oci.digest_of(body) != descriptor.digest:
        raise InvalidParameter(f"image config verification failed for digest {descriptor.digest}")
    return body
