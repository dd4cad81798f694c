"""What a check finds, and what an image must hold to be whole. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lading.errors import LadingError
from lading.images.record import Image
from lading.oci import image as oci

BLOB, LAYER, IMAGE, CONTAINER, GARBAGE = "blob", "layer", "image", "container", "garbage"
"""Kinds of findings: of what the subject is an identifier."""


@dataclass(slots=True)
class Finding:
    """One thing that is not as it should be. `repairable`: without losing anything."""

    kind: str
    subject: str
    problem: str
    repairable: bool = False
    repaired: bool = False

    def view(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "Kind": self.kind,
            "Subject": self.subject,
            "Problem": self.problem,
            "Repairable": self.repairable,
            "Repaired": self.repaired,
        }


@dataclass(slots=True)
class State:
    """What was found so far.

    `documents` are blobs that are manifests or indexes, `layers` has the blob of
    each; `bad_blobs` and `bad_layers` say what is wrong. `has` tells of blobs
    that came later too.
    """

    has: Callable[[str], bool]
    blobs: Collection[str] = ()
    documents: Collection[str] = ()
    layers: Mapping[str, str] = field(default_factory=dict)
    bad_blobs: dict[str, str] = field(default_factory=dict)
    bad_layers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps an image from being whole, and the layer it lies in. A `lost` one cannot be run."""

    text: str
    lost: bool
    layer: str = ""


def problem_of(
    image_id: str, read: Callable[[], Image | None], manifest: Callable[[str], bytes], state: State
) -> Problem | None:
    """The worst that is wrong with an image, or None.

    `read` gives the image as it is known, `manifest` the bytes of a blob.
    """
    if image_id in state.bad_blobs or not state.has(image_id):
        reason = state.bad_blobs.get(image_id, "there is no such blob")
        return Problem(f"its configuration is damaged: {reason}", True)
    try:
        image = read()
    except LadingError as error:
        return Problem(f"its configuration cannot be read: {error.message}", True)
    if image is None:
        return None
    if problem := _layers_problem(image, state):
        return problem
    if text := _blobs_problem(image, state) or _manifest_problem(image, manifest):
        return Problem(text, False)
    return None


def dispensable(image: Image, state: State) -> list[str] | None:
    """What is wrong with an image's blobs, where it can do without: manifests, indexes, packed copies."""
    layers = [state.layers[chain_id] for chain_id in oci.chain_ids(image.document.diff_ids)]
    wrong = [
        digest
        for digest in (*image.record.blobs, *layers)
        if digest in state.bad_blobs or not state.has(digest)
    ]
    others = {*state.documents, image.manifest_digest, *image.record.compressed.values()}.difference(layers)
    return wrong if others.issuperset(wrong) else None


def _layers_problem(image: Image, state: State) -> Problem | None:
    chain = oci.chain_ids(image.document.diff_ids)
    if (chain[-1] if chain else None) != image.chain_id:
        return Problem(f"it is said to stand on {image.chain_id}, which is not its topmost layer", True)
    for chain_id in chain:
        if chain_id not in state.layers:
            return Problem(f"its layer {chain_id} is missing", True)
        if chain_id in state.bad_layers:
            text = f"its layer {chain_id} is damaged: {state.bad_layers[chain_id]}"
            return Problem(text, True, chain_id)
    return None


def _blobs_problem(image: Image, state: State) -> str:
    for chain_id in oci.chain_ids(image.document.diff_ids):
        if not state.has(state.layers[chain_id]):
            return f"of its layer {chain_id} the blob is missing"
    for digest in image.record.blobs:
        if not state.has(digest):
            return f"its blob {digest} is missing"
        if digest in state.bad_blobs:
            return f"its blob {digest} is damaged: {state.bad_blobs[digest]}"
    return ""


def _manifest_problem(image: Image, read: Callable[[str], bytes]) -> str:
    digest = image.manifest_digest
    if not digest:
        return ""
    if digest not in image.record.blobs:
        return f"its manifest {digest} is not among its blobs"
    try:
        manifest = oci.decode(oci.Manifest, read(digest), "image manifest")
    except LadingError as error:
        return f"its manifest {digest} cannot be read: {error.message}"
    if manifest.config.digest != image.id:
        return f"its manifest {digest} is that of {manifest.config.digest}"
    if len(manifest.layers) != len(image.document.diff_ids):
        return f"its manifest {digest} has {len(manifest.layers)} layers"
    return ""
