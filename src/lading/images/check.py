"""Looking through all that images are made of, and repairing it: `lading system check`.

It may run at any time. What arrives meanwhile is not looked at; what goes
meanwhile stays until the check is over (see `Admission.under_way`), so nothing
it looks at disappears under its hands.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lading.aio import tasks
from lading.content import examine
from lading.errors import Conflict, LadingError
from lading.ids import short_id
from lading.images.context import Context
from lading.images.findings import BLOB, CONTAINER, GARBAGE, IMAGE, LAYER, Finding, State, problem_of
from lading.images.intake import ArrivedLayer, restage
from lading.images.removal import ImageUser
from lading.images.repair import Broken, Repair, pack_anew
from lading.oci import image as oci
from lading.snapshots import Layer, Staged

Message = dict[str, Any]
Users = Callable[[], Sequence[ImageUser]]


class Checker:
    """Checks for one daemon: one check at a time."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._running = False

    def check(self, users: Users, *, repair: bool, deep: bool) -> AsyncIterator[Message]:
        """Progress, and at last what was found.

        `users` gives all containers made from images. A `deep` check unpacks
        each layer anew to compare it. Raises Conflict while a check is under way.
        """
        self._refuse_a_second()
        return self._check(users, repair, deep)

    def _refuse_a_second(self) -> None:
        if self._running:
            raise Conflict("a check is already running")

    async def _check(self, users: Users, repair: bool, deep: bool) -> AsyncIterator[Message]:
        # Of two who asked at once both were let in.
        self._refuse_a_second()
        self._running = True
        try:
            with self._ctx.admission.under_way():
                run = _begin(self._ctx, users, repair)
                async for message in run.blobs():
                    yield message
                async for message in run.layers(deep):
                    yield message
                await run.images()
                await run.garbage()
                if repair:
                    await run.repair()
                yield {"aux": run.report()}
        finally:
            self._running = False


def _begin(ctx: Context, users: Users, repair: bool) -> "_Run":
    """What is there at this moment: all that is looked at."""
    sizes, layers = ctx.content.sizes(), ctx.snapshots.layers()
    state = State(
        ctx.content.has,
        sizes,
        ctx.content.of_types(oci.DOCUMENT_TYPES),
        {layer.chain_id: layer.blob_digest for layer in layers},
    )
    return _Run(ctx, users, repair, state, sizes, layers, ctx.store.ids())


@dataclass(slots=True)
class _Run:
    ctx: Context
    users: Users
    wants_repair: bool
    state: State
    sizes: dict[str, int]
    found_layers: list[Layer]
    image_ids: list[str]
    findings: list[Finding] = field(default_factory=list)
    broken: dict[str, Broken] = field(default_factory=dict)
    # Damaged layers that can be repaired, though not now: nothing is lost with them.
    waiting: set[str] = field(default_factory=set)

    def find(self, kind: str, subject: str, problem: str, repairable: bool = False) -> Finding:
        finding = Finding(kind, subject, problem, repairable)
        self.findings.append(finding)
        return finding

    async def blobs(self) -> AsyncIterator[Message]:
        """Every blob: its size and its digest."""
        done, total = 0, sum(self.sizes.values())
        for digest, size in self.sizes.items():
            yield _progress("blobs", digest, done, total)
            problem = await tasks.in_thread(examine, self.ctx.content.path(digest), digest, size)
            done += size
            if problem:
                self.state.bad_blobs[digest] = problem
                self.find(BLOB, digest, problem)
        yield _progress("blobs", "", done, total)

    async def layers(self, deep: bool) -> AsyncIterator[Message]:
        """Every layer: its place in its chain, its directory, and what is in it; and writable layers."""
        snapshots = self.ctx.snapshots
        layers = _parents_first(self.found_layers)
        damaged = snapshots.soundness.damaged()
        for number, layer in enumerate(layers):
            yield _progress("layers", layer.chain_id, number, len(layers))
            problem = damaged.get(layer.chain_id, "")
            # What implied directories look like is for the layers below to say.
            comparable = layer.parent not in self.state.bad_layers
            if problem or (deep and comparable):
                await self._layer(layer, problem)
            if self.wants_repair and layer.chain_id not in self.state.bad_layers:
                await self._restore_blob(layer)
            elif not comparable:
                self.state.bad_layers[layer.chain_id] = f"the layer {layer.parent} below it is damaged"
        for key, problem in snapshots.soundness.damaged_writables().items():
            self.find(CONTAINER, key, f"its writable layer is damaged: {problem}")
        yield _progress("layers", "", len(layers), len(layers))

    async def _layer(self, layer: Layer, problem: str) -> None:
        """Looks closer at a layer with the help of its blob, and puts it right from there if asked to."""
        try:
            staged = await self._unpacked(layer)
        except (LadingError, OSError) as error:
            # As on a full disk: nothing is known to be lost.
            self.waiting.add(layer.chain_id)
            if problem:
                self._found_bad(layer, f"{problem}, and it cannot be unpacked anew: {error}")
            else:
                self.find(LAYER, layer.chain_id, f"it cannot be compared: {error}")
            return
        try:
            if staged is not None and not problem:
                compare = self.ctx.snapshots.soundness.difference(layer.chain_id, staged)
                problem = await tasks.in_thread(compare)
            if problem:
                finding = self._found_bad(layer, problem, repairable=staged is not None)
                if staged is not None and self.wants_repair:
                    staged = self._replace(layer, staged, finding)
        except OSError as error:
            self._found_bad(layer, f"it cannot be compared: {error.strerror}")
            self.waiting.add(layer.chain_id)
        finally:
            if staged is not None:
                await tasks.in_thread(self.ctx.snapshots.discard, staged)

    def _found_bad(self, layer: Layer, problem: str, repairable: bool = False) -> Finding:
        self.state.bad_layers[layer.chain_id] = problem
        return self.find(LAYER, layer.chain_id, problem, repairable)

    async def _restore_blob(self, layer: Layer) -> None:
        """Packs a layer anew whose blob is damaged; what was committed here comes out byte for byte."""
        digest = layer.blob_digest
        if digest != layer.diff_id or digest not in self.state.bad_blobs:
            return
        work = partial(pack_anew, self.ctx.content, self.ctx.snapshots.soundness.layer_packer(layer.chain_id))
        try:
            arrived = await tasks.held(work, lambda late: late.discard())
        except OSError:
            return
        if arrived.digest != digest:
            await tasks.in_thread(arrived.discard)
            return
        self.ctx.content.restore(arrived)
        del self.state.bad_blobs[digest]
        for finding in self.findings:
            if finding.kind == BLOB and finding.subject == digest:
                finding.problem += "; it was packed anew"
                finding.repaired = True

    async def _unpacked(self, layer: Layer) -> Staged | None:
        """The layer once more, or None where its blob is of no use. Raises LadingError, OSError."""
        digest, snapshots = layer.blob_digest, self.ctx.snapshots
        if digest not in self.state.blobs or digest in self.state.bad_blobs:
            return None
        below = snapshots.directories(layer.parent)
        arrived = ArrivedLayer(digest, layer.diff_id)
        work = partial(restage, arrived, self.ctx.content.path(digest), snapshots)
        staged = await tasks.held(work, snapshots.discard)
        try:
            await tasks.in_thread(snapshots.inherit, staged, below)
        except BaseException:
            await tasks.in_thread(snapshots.discard, staged)
            raise
        return staged

    def _replace(self, layer: Layer, staged: Staged, finding: Finding) -> Staged | None:
        """Gives back what was not put into the layer's place."""
        if self.ctx.snapshots.soundness.is_mounted(layer.chain_id):
            finding.problem += "; stop the containers that stand on it, to have it repaired"
            self.waiting.add(layer.chain_id)
            return staged
        self.ctx.snapshots.soundness.replace(layer.chain_id, staged)
        finding.repaired = True
        del self.state.bad_layers[layer.chain_id]
        return None

    async def images(self) -> None:
        """Every image: its documents, its layers, its names."""
        ctx = self.ctx
        # The damage may have been done after they were read.
        ctx.catalog.changed()
        for image_id in self.image_ids:
            # Others have their turn: of a thousand images each takes its time.
            await asyncio.sleep(0)
            if ctx.store.row(image_id) is None:
                continue
            read = partial(ctx.catalog.get, image_id)
            if problem := problem_of(image_id, read, ctx.content.read, self.state):
                finding = self.find(IMAGE, image_id, problem.text)
                if problem.layer not in self.waiting:
                    self.broken[image_id] = Broken(finding, problem.lost)
        present = set(ctx.store.ids())
        for reference, image_id in ctx.store.targets().items():
            if image_id not in present:
                self.find(IMAGE, image_id, f"{reference} is its name, but there is no such image")

    async def garbage(self) -> None:
        """What nobody needs, and what belongs to nothing."""
        content, snapshots, admission = self.ctx.content, self.ctx.snapshots, self.ctx.admission
        # First what is there, then what should be: so nothing that comes in between looks like garbage.
        files = await tasks.in_thread(content.files)
        names = await tasks.in_thread(snapshots.soundness.names)
        leftovers = await tasks.in_thread(content.leftovers) if admission.is_alone else []
        strays = [digest for digest in files if not content.has(digest)]
        for digest in strays:
            self.find(GARBAGE, digest, "the file of no blob", repairable=True)
        directories = snapshots.soundness.strays(names)
        for name in directories:
            self.find(GARBAGE, name, "the directory of no layer", repairable=True)
        # While they were listed somebody may have come, written, and gone.
        leftovers = [name for name in content.leftovers() if name in leftovers] if admission.is_alone else []
        for name in leftovers:
            self.find(GARBAGE, name, "a blob that nobody is writing any more", repairable=True)
        for name in content.stale_partials():
            self.find(GARBAGE, name, "what a pull left that nobody went on with", repairable=True)
        # What arrives may have blobs already that its image is to need.
        if admission.is_alone and not admission.is_clearing:
            for what, subjects in admission.unneeded().items():
                for subject in subjects:
                    self.find(GARBAGE, subject, f"a {what} that no image needs", repairable=True)
        if self.wants_repair:
            content.remove_strays(strays)
            snapshots.soundness.throw_strays(directories)
            content.remove_leftovers(leftovers)
            content.remove_partials(stale_only=True)
            admission.clear()

    async def repair(self) -> None:
        """Drops what is beyond repair, and says so."""
        Repair(self.ctx, self.users, self.state).run(self.broken, self.findings)

    def report(self) -> Message:
        return {
            "Checked": {
                "Blobs": len(self.state.blobs),
                "Layers": len(self.state.layers),
                "Images": len(self.image_ids),
            },
            "Findings": [finding.view() for finding in self.findings],
        }


def _parents_first(layers: Sequence[Layer]) -> list[Layer]:
    by_chain = {layer.chain_id: layer for layer in layers}
    ordered: dict[str, Layer] = {}
    for layer in layers:
        waiting = []
        current: Layer | None = layer
        while current is not None and current.chain_id not in ordered and current not in waiting:
            waiting.append(current)
            current = by_chain.get(current.parent) if current.parent else None
        ordered.update((found.chain_id, found) for found in reversed(waiting))
    return list(ordered.values())


def _progress(what: str, subject: str, done: int, total: int) -> Message:
    status = f"Checking {what}" + (f" {short_id(subject)}" if subject else "")
    return {"status": status, "id": what, "progressDetail": {"current": done, "total": total}}
