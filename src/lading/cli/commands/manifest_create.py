"""`lading manifest create`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.manifest_list import INDEX_TYPES
from lading.cli.manifest_registry import fetch, normal_reference
from lading.cli.manifest_store import ManifestStore
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    name, *members = given.operands
    try:
        target = normal_reference(name).full()
    except CommandFailed as failure:
        raise CommandFailed(f"error parsing name for manifest list {name}: {failure.message}") from None
    store = ManifestStore(session)
    if store.get_list(target) is not None and not given["amend"]:
        raise CommandFailed("refusing to amend an existing manifest list with no --amend flag")
    for member in members:
        reference = normal_reference(member)
        manifest = store.get(target, reference.full())
        if manifest is None or not manifest.raw:
            manifest = fetch(session, reference, given["insecure"])
            if manifest.media_type in INDEX_TYPES:
                raise CommandFailed(f"{reference.full()} is a manifest list")
        store.save(target, reference.full(), manifest)
    out(f"Created manifest list {target}")


COMMAND = Command(
    "manifest create",
    "MANIFEST_LIST MANIFEST [MANIFEST...]",
    "Create a local manifest list for annotating and pushing to a registry",
    (
        Flag("amend", "a", "", "Amend an existing manifest list"),
        Flag("insecure", "", "", "Allow communication with an insecure registry"),
    ),
    run,
    least=2,
)
