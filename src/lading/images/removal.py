"""What may be removed, and what stands against it. Pure.

Source: moby's `daemon/images/image_delete.go`: its rules and its words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lading.errors import Conflict
from lading.ids import short_id
from lading.images.reference import Reference


@dataclass(frozen=True, slots=True)
class ImageUser:
    """A container, the image it was made from, and whether it runs."""

    container_id: str
    image_id: str
    running: bool


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an image cannot be removed. `hard`: not even by force. `used`: by a container."""

    message: str
    hard: bool
    used: bool

    def error(self, image_id: str) -> Conflict:
        how = "cannot be forced" if self.hard else "must be forced"
        return Conflict(f"conflict: unable to delete {short_id(image_id)} ({how}) - {self.message}")


def obstacle(
    image_id: str,
    *,
    children: Sequence[str],
    references: Sequence[Reference],
    users: Sequence[ImageUser],
    force: bool,
    ignore_references: bool = False,
) -> Obstacle | None:
    """The first thing that stands against removing an image, or None."""
    mine = [user for user in users if user.image_id == image_id]
    if children:
        return Obstacle("image has dependent child images", True, False)
    for user in mine:
        if user.running:
            text = f"image is being used by running container {short_id(user.container_id)}"
            return Obstacle(text, True, True)
    if force:
        return None
    if references and not ignore_references:
        return Obstacle("image is referenced in multiple repositories", False, False)
    for user in mine:
        text = f"image is being used by stopped container {short_id(user.container_id)}"
        return Obstacle(text, False, True)
    return None


def check_untag(
    name: str, image_id: str, references: Sequence[Reference], users: Sequence[ImageUser]
) -> None:
    """Raises Conflict where taking the last name away would leave a used image nameless."""
    if not is_single(references):
        return
    for user in users:
        if user.image_id == image_id:
            raise Conflict(
                f'conflict: unable to remove repository reference "{name}" (must force) - container '
                f"{short_id(user.container_id)} is using its referenced image {short_id(image_id)}"
            )


def is_single(references: Sequence[Reference]) -> bool:
    """Whether the references are one tag at most, and digests of its repository only."""
    if len(references) <= 1:
        return True
    tags = [reference for reference in references if not reference.digest]
    repositories = {reference.name for reference in references if reference.digest}
    if len(tags) > 1:
        return False
    return repositories == {(tags or references)[0].name}


def orphaned_digests(removed: Reference, left: Sequence[Reference]) -> list[Reference]:
    """Digests of a repository whose last tag was removed: they go with it."""
    if removed.digest:
        return []
    same = [reference for reference in left if reference.name == removed.name]
    return [] if any(not reference.digest for reference in same) else same


def is_id_prefix(image_id: str, name: str) -> bool:
    """Whether `name` is the beginning of the ID, with or without its algorithm."""
    return image_id.startswith(name) or image_id.removeprefix("sha256:").startswith(name)
