"""Removing names and images: `docker rmi`."""

from collections.abc import Callable, Sequence

from lading.errors import NotFound
from lading.images import removal
from lading.images.admit import Admission
from lading.images.catalog import Catalog
from lading.images.record import Image
from lading.images.reference import Reference, parse
from lading.images.removal import ImageUser
from lading.images.store import ImageStore
from lading.oci.image import chain_ids
from lading.snapshots import Snapshots

Answer = list[dict[str, str]]


class Remover:
    """Removes on behalf of one daemon."""

    def __init__(
        self,
        store: ImageStore,
        catalog: Catalog,
        snapshots: Snapshots,
        admission: Admission,
        announce: Callable[[str, str, str], object],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._snapshots = snapshots
        self._admission = admission
        self._announce = announce

    def remove(self, name: str, force: bool, prune: bool, users: Sequence[ImageUser]) -> Answer:
        """Untags, and removes the image with its last name. Raises NotFound, Conflict."""
        answer: Answer = []
        try:
            # Both in one: no crash may leave an image without the name it was to go with.
            with self._store.database.transaction():
                self._remove(name, force, prune, users, answer)
        finally:
            self._catalog.changed()
        self._admission.clear()
        return answer

    def _remove(
        self, name: str, force: bool, prune: bool, users: Sequence[ImageUser], answer: Answer
    ) -> None:
        image = self._catalog.find(name)
        references = self._catalog.references(image.id)
        untagged = not removal.is_id_prefix(image.id, name)
        if untagged:
            if not force:
                removal.check_untag(name, image.id, references, users)
            if self._untag(image, parse(name).stored(), answer):
                return
        elif removal.is_single(references):
            obstacle = self._obstacle(image, users, force, ignore_references=True)
            if obstacle is not None:
                raise obstacle.error(image.id)
            for reference in references:
                self._drop(image, reference, answer)
        self._delete(image, force, prune, users, answer, quiet=untagged)

    def _untag(self, image: Image, reference: Reference, answer: Answer) -> bool:
        """Takes one name away; tells whether the image has others left."""
        if self._store.target(reference) != image.id:
            raise NotFound(f"No such image: {reference.familiar}")
        self._drop(image, reference, answer)
        for orphan in removal.orphaned_digests(reference, self._catalog.references(image.id)):
            self._drop(image, orphan, answer, announced=False)
        return bool(self._catalog.references(image.id))

    def _drop(self, image: Image, reference: Reference, answer: Answer, announced: bool = True) -> None:
        self._store.drop(reference)
        self._catalog.changed()
        answer.append({"Untagged": reference.familiar})
        if announced:
            self._announce("untag", image.id, image.id)

    def _obstacle(
        self, image: Image, users: Sequence[ImageUser], force: bool, ignore_references: bool = False
    ) -> removal.Obstacle | None:
        return removal.obstacle(
            image.id,
            children=self._catalog.children(image.id),
            references=self._catalog.references(image.id),
            users=users,
            force=force,
            ignore_references=ignore_references,
        )

    def _delete(
        self,
        image: Image,
        force: bool,
        prune: bool,
        users: Sequence[ImageUser],
        answer: Answer,
        quiet: bool,
    ) -> None:
        obstacle = self._obstacle(image, users, force)
        if obstacle is not None:
            named = self._catalog.references(image.id) or self._catalog.children(image.id)
            if quiet and (named or obstacle.used):
                # The name asked for is gone; that the image stays is no failure.
                return
            raise obstacle.error(image.id)
        for reference in self._catalog.references(image.id):
            answer.append({"Untagged": reference.familiar})
            self._announce("untag", image.id, image.id)
        self._store.remove(image.id)
        self._catalog.changed()
        self._announce("delete", image.id, image.id)
        answer.append({"Deleted": image.id})
        answer.extend({"Deleted": chain_id} for chain_id in self._unneeded(image))
        parent = self._catalog.get(image.parent) if prune and image.parent else None
        if parent is not None:
            self._delete(parent, False, True, users, answer, quiet=True)

    def _unneeded(self, image: Image) -> list[str]:
        """Its layers that no image and no container stands on, topmost first."""
        needed = self._snapshots.needed(self._store.chains())
        return [chain for chain in reversed(chain_ids(image.document.diff_ids)) if chain not in needed]
