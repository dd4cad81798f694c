"""`lading manifest push`."""

from __future__ import annotations

import json

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.manifest_list import list_document
from lading.cli.manifest_registry import normal_reference, put
from lading.cli.manifest_store import ManifestStore, no_such_list
from lading.cli.reference import parse_reference
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.manifest_list import ImageManifest
    from lading.cli.reference import Reference
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    target = normal_reference(given.operands[0])
    store = ManifestStore(session)
    manifests = store.get_list(target.full())
    if manifests is None:
        raise no_such_list(target.full())
    if not manifests:
        raise CommandFailed(f"{target.full()} not found")
    for manifest in manifests:
        _check(manifest, target)
    for manifest in manifests:
        _put_member(session, manifest, target, given["insecure"])
    document = list_document(manifest.descriptor for manifest in manifests)
    media_type = json.loads(document)["mediaType"]
    out(put(session, target, media_type, document, insecure=given["insecure"]))
    if given["purge"]:
        store.remove(target.full())


def _check(manifest: ImageManifest, target: Reference) -> None:
    """Raises CommandFailed where it cannot be in a list of this name."""
    if not (manifest.platform.get("architecture") and manifest.platform.get("os")):
        raise CommandFailed(
            f"manifest {manifest.reference} must have an OS and Architecture to be pushed to a registry"
        )
    domain = parse_reference(manifest.reference).domain
    if domain != target.domain:
        raise CommandFailed(
            "cannot use source images from a different registry than the target image: "
            f"{domain} != {target.domain}"
        )


def _put_member(session: Session, manifest: ImageManifest, target: Reference, insecure: bool) -> None:
    """Brings a manifest from another repository into that of the list."""
    source = parse_reference(manifest.reference)
    if source.path == target.path:
        return
    place = parse_reference(f"{target.name}@{manifest.descriptor['digest']}")
    mounts = [(digest, source.path) for digest in manifest.blobs()]
    digest = put(session, place, manifest.media_type, manifest.raw, mounts, insecure)
    out(f"Pushed ref {place.full()} with digest: {digest}")


COMMAND = Command(
    "manifest push",
    "MANIFEST_LIST",
    "Push a manifest list to a repository",
    (
        Flag("insecure", "", "", "Allow push to an insecure registry"),
        Flag("purge", "p", "", "Remove the local manifest list after push"),
    ),
    run,
    least=1,
    most=1,
)
