"""Sending images to registries: `docker push`.

The order is what makes it safe to be broken off: layers, then the
configuration, then the manifest that speaks of them, then the name.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from lading.aio import tasks
from lading.distribution import Credentials
from lading.errors import InvalidParameter, NotFound
from lading.images import manifests, push_plan
from lading.images.context import Context
from lading.images.platforms import check
from lading.images.pull_progress import Message
from lading.images.push_compress import Compressor
from lading.images.push_plan import PushedLayer
from lading.images.push_progress import PushProgress
from lading.images.push_uploads import Lease, Listener, Uploads
from lading.images.record import Image
from lading.images.reference import Reference
from lading.oci import image as oci

_SILENT = Listener(lambda: None, lambda _done, _total: None)


@dataclass(frozen=True, slots=True)
class PushOrder:
    """What is to go where, and who asks. A name without a tag means all tags of the repository."""

    target: Reference
    credentials: Credentials | None = None
    platform: oci.Platform | None = None


class Pusher:
    """Pushes on behalf of one daemon. Loop thread."""

    def __init__(self, ctx: Context, uploads: Uploads) -> None:
        self._ctx = ctx
        self._uploads = uploads
        self._compressor = Compressor(ctx)

    async def close(self) -> None:
        """Ends what runs in the background."""
        await self._compressor.close()

    def check(self, order: PushOrder) -> None:
        """What can be said before anything is begun. Raises InvalidParameter, NotFound."""
        if order.target.digest:
            raise InvalidParameter("cannot push a digest reference")
        if order.platform is not None:
            name = order.target.tagged().familiar
            check(self._ctx.catalog.find(name), [order.platform], name)

    async def push(self, order: PushOrder) -> AsyncIterator[Message]:
        """Pushes, giving docker's messages. Raises LadingError. Closing the iterator stops it."""
        progress = PushProgress()
        work = asyncio.create_task(self._push(order, progress), name=f"push {order.target}")
        work.add_done_callback(lambda _: progress.end())
        try:
            async for message in progress.messages():
                yield message
            await work
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])

    async def _push(self, order: PushOrder, progress: PushProgress) -> None:
        target = order.target
        progress.say(f"The push refers to repository [{target.name}]")
        with self._ctx.admission.under_way():
            chosen = self._chosen(target)
            async with self._uploads.lease(target, order.credentials) as lease:
                for reference, image in chosen:
                    await self._push_tag(lease, reference, image, progress)
        labels = chosen[0][1].labels
        self._ctx.publish("image", "push", target.familiar, {**labels, "name": target.familiar_name})

    def _chosen(self, target: Reference) -> list[tuple[Reference, Image]]:
        named = [
            (reference, image)
            for image_id, references in self._ctx.store.references().items()
            for reference in references
            if reference.name == target.name and (image := self._ctx.catalog.get(image_id)) is not None
        ]
        if not named:
            raise NotFound(f"An image does not exist locally with the tag: {target.familiar_name}")
        tagged = [found for found in named if not found[0].digest]
        if not target.tag:
            if not tagged:
                raise NotFound(f"no tags to push for {target.familiar_name}")
            return sorted(tagged, key=lambda found: found[0].tag)
        for found in tagged:
            if found[0] == target:
                return [found]
        raise NotFound(f"tag does not exist: {target.familiar}")

    async def _push_tag(self, lease: Lease, target: Reference, image: Image, progress: PushProgress) -> None:
        layers, body = self._plan(image)
        pushing = _Layers(self._ctx, self._uploads, self._compressor, lease, target, image, progress)
        blobs = await pushing.push(layers, as_stored=bool(body))
        config = manifests.described(self._ctx, image.id)
        await self._uploads.upload(lease, config, self._ctx.content.path(image.id), (), _SILENT)
        body = body or push_plan.manifest_for(image.id, config.size, blobs)
        kind = push_plan.media_type_of(body)
        digest = await tasks.in_own_thread(lease.repository.put_manifest, target.tag, body, kind)
        progress.say(f"{target.tag}: digest: {digest} size: {len(body)}")
        await self._compressor.settled(blob.digest for blob in blobs)
        self._record(target, image, body, kind, blobs)
        progress.result(target.tag, digest, len(body))

    def _plan(self, image: Image) -> tuple[list[PushedLayer], bytes]:
        """The layers lowest first, and the manifest where there is one to be sent as it is."""
        diff_ids = image.document.diff_ids
        found = manifests.kept(self._ctx, image)
        if found is not None:
            body, manifest = found
            layers = [
                PushedLayer(diff_id, blob) for diff_id, blob in zip(diff_ids, manifest.layers, strict=True)
            ]
            known = any(reference.digest for reference in self._ctx.catalog.references(image.id))
            # With plain layers docker itself writes such manifests into archives, and never pushes them.
            if known or all(layer.travels or layer.foreign for layer in layers):
                return layers, body
        stored = manifests.layers(self._ctx, image)
        return [PushedLayer(diff_id, blob) for diff_id, blob in zip(diff_ids, stored, strict=True)], b""

    def _record(
        self, target: Reference, image: Image, body: bytes, kind: str, blobs: Sequence[oci.Descriptor]
    ) -> None:
        """The image is now also known by its digest there, and its manifest stays as it was sent."""
        ctx = self._ctx
        present = ctx.catalog.get(image.id)
        if present is None:
            # Removed while it was pushed.
            return
        with ctx.store.database.transaction():
            digest = ctx.content.write(body, kind)
            kept = (*present.record.blobs, digest, *(blob.digest for blob in blobs))
            record = msgspec.structs.replace(present.record, blobs=tuple(dict.fromkeys(kept)))
            ctx.store.record(image.id, record)
            ctx.store.use_manifest(image.id, digest)
            ctx.store.point(replace(target, tag="", digest=digest), image.id)
        ctx.catalog.changed()


@dataclass(slots=True)
class _Layers:
    """The layers of one image on their way."""

    ctx: Context
    uploads: Uploads
    compressor: Compressor
    lease: Lease
    target: Reference
    image: Image
    progress: PushProgress

    async def push(self, layers: Sequence[PushedLayer], *, as_stored: bool) -> list[oci.Descriptor]:
        """Brings all of them there; gives what the manifest has to say of each, lowest first."""
        wanted = push_plan.distinct(layers)
        for layer in wanted:
            self.progress.state(layer.name, "Preparing")
        holders = self._holders()
        running = {
            layer.diff_id: asyncio.create_task(self._push_one(layer, holders, as_stored)) for layer in wanted
        }
        try:
            await asyncio.gather(*running.values())
        finally:
            unfinished = [task for task in running.values() if not task.done()]
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished)
        return [running[layer.diff_id].result() for layer in layers]

    async def _push_one(
        self, layer: PushedLayer, holders: dict[str, list[Reference]], as_stored: bool
    ) -> oci.Descriptor:
        if layer.foreign:
            self.progress.state(layer.name, "Skipped foreign layer")
            return layer.blob
        blob = layer.blob
        if not as_stored and not layer.travels:
            packing = partial(self.progress.moving, layer.name, "Compressing")
            blob = await self.compressor.compressed(self.image.id, blob, packing)
        listener = Listener(
            partial(self.progress.state, layer.name, "Waiting"),
            partial(self.progress.moving, layer.name, "Pushing"),
        )
        sources = push_plan.mount_sources(self.target, blob.digest, holders)
        path = self.ctx.content.path(blob.digest)
        outcome = await self.uploads.upload(self.lease, blob, path, sources, listener)
        self.progress.state(layer.name, outcome)
        return blob

    def _holders(self) -> dict[str, list[Reference]]:
        """For each blob, the digests under which this registry knows an image with it."""
        found: dict[str, list[Reference]] = {}
        records = self.ctx.store.records()
        for image_id, references in self.ctx.store.references().items():
            there = [name for name in references if name.digest and name.domain == self.target.domain]
            for digest in records[image_id].blobs if there and image_id in records else ():
                found.setdefault(digest, []).extend(there)
        return found
