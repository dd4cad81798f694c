"""`lading manifest inspect`."""

from __future__ import annotations

import json

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.manifest_list import INDEX_TYPES, ImageManifest, list_document, shown, shown_list
from lading.cli.manifest_registry import fetch, normal_reference
from lading.cli.manifest_store import ManifestStore, no_such_list
from lading.cli.reference import parse_reference
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    verbose, store = given["verbose"], ManifestStore(session)
    reference = normal_reference(given.operands[-1])
    if len(given.operands) > 1:
        manifest = store.get(normal_reference(given.operands[0]).full(), reference.full())
        if manifest is None:
            raise no_such_list(reference.full())
        out(shown(manifest, verbose))
        return
    manifests = store.get_list(reference.full())
    if manifests is not None:
        out(_list(manifests, verbose))
        return
    found = fetch(session, reference, given["insecure"])
    if found.media_type not in INDEX_TYPES:
        out(shown(found, verbose))
    elif verbose:
        out(shown_list(_members(session, found, given["insecure"])))
    else:
        out(list_document(found.entries()).decode())


def _list(manifests: list[ImageManifest], verbose: bool) -> str:
    if verbose:
        return shown_list(manifests)
    return list_document(manifest.descriptor for manifest in manifests).decode()


def _members(session: Session, found: ImageManifest, insecure: bool) -> list[ImageManifest]:
    members = []
    for entry in found.entries():
        member = fetch(session, parse_reference(f"{found.reference}@{entry['digest']}"), insecure)
        if member.media_type in INDEX_TYPES:
            raise CommandFailed(f"unsupported manifest type: {json.dumps(member.media_type)}")
        # What the list says of its members goes before what they say themselves.
        member.descriptor = {**member.descriptor, "platform": entry.get("platform")}
        members.append(member)
    return members


COMMAND = Command(
    "manifest inspect",
    "[MANIFEST_LIST] MANIFEST",
    "Display an image manifest, or manifest list",
    (
        Flag("insecure", "", "", "Allow communication with an insecure registry"),
        Flag("verbose", "v", "", "Output additional info including layers and platform"),
    ),
    run,
    least=1,
    most=2,
)
