"""Dropping what a check found beyond repair."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from lading.content import Content, Ingest
from lading.ids import short_id
from lading.images.context import Context
from lading.images.findings import BLOB, GARBAGE, Finding, State, dispensable
from lading.images.removal import ImageUser

_DROPPED = "; it was dropped with its names: pull or load it again"
_KEPT = "; it stays, as container {} uses it: pull or load it again"
_INCOMPLETE = "; it can be run, but neither saved nor pushed: pull or load it again"


@dataclass(slots=True)
class Broken:
    """An image that is not whole; `lost` if it cannot be run either."""

    finding: Finding
    lost: bool


def pack_anew(content: Content, write: Callable[[Callable[[bytes], None]], None]) -> Ingest:
    """What `write` writes, as a blob to be. Blocks. Raises OSError."""
    blob = content.ingest()
    try:
        write(blob.write)
        blob.finish()
    except BaseException:
        blob.discard()
        raise
    return blob


class Repair:
    """One repair, after all has been looked at. Loop thread, without a pause."""

    def __init__(self, ctx: Context, users: Callable[[], Sequence[ImageUser]], state: State) -> None:
        self._ctx = ctx
        self._state = state
        self._users = {user.image_id: user for user in users()}

    def run(self, broken: Mapping[str, Broken], findings: Collection[Finding]) -> None:
        """Drops lost images that no container uses, and damaged blobs, so that both may come again."""
        ctx = self._ctx
        with ctx.store.database.transaction():
            for image_id, image in broken.items():
                if image.lost:
                    self._drop(image_id, image.finding)
                else:
                    self._make_do(image_id, image.finding)
            ctx.store.drop_nowhere()
            ctx.snapshots.soundness.forget_blobs(self._state.bad_blobs)
        ctx.catalog.changed()
        ctx.content.remove(self._state.bad_blobs)
        for finding in findings:
            if finding.kind == BLOB and finding.subject in self._state.bad_blobs:
                finding.problem += "; it was dropped"
            if finding.kind in (BLOB, GARBAGE):
                finding.repaired = True
        ctx.admission.clear()

    def _drop(self, image_id: str, finding: Finding) -> None:
        if image_id in self._users:
            finding.problem += _KEPT.format(short_id(self._users[image_id].container_id))
            return
        self._ctx.store.remove(image_id)
        # What was made from it stands on its own.
        self._ctx.store.orphan(image_id)
        self._ctx.publish("image", "delete", image_id, {"name": image_id})
        finding.problem += _DROPPED
        finding.repaired = True

    def _make_do(self, image_id: str, finding: Finding) -> None:
        """Without its manifest an image is still whole; without a packed layer it is at least of use."""
        image = self._ctx.catalog.get(image_id)
        useless = dispensable(image, self._state) if image is not None else None
        if image is None or useless is None:
            finding.problem += _INCOMPLETE
            return
        if not useless or image.manifest_digest in useless:
            useless.append(image.manifest_digest)
            self._ctx.store.forget_manifest(image_id)
        record = msgspec.structs.replace(
            image.record,
            blobs=tuple(digest for digest in image.record.blobs if digest not in useless),
            compressed={
                plain: packed for plain, packed in image.record.compressed.items() if packed not in useless
            },
        )
        self._ctx.store.record(image_id, record)
        finding.problem += "; it does without"
        finding.repaired = True
