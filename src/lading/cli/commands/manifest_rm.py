"""`lading manifest rm`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.manifest_registry import normal_reference
from lading.cli.manifest_store import ManifestStore, no_such_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    store = ManifestStore(session)
    failures = []
    for name in given.operands:
        try:
            target = normal_reference(name).full()
            if store.get_list(target) is None:
                raise no_such_list(target)
            store.remove(target)
        except CommandFailed as failure:
            failures.append(failure.message)
    if failures:
        raise CommandFailed("\n".join(failures))


COMMAND = Command(
    "manifest rm",
    "MANIFEST_LIST [MANIFEST_LIST...]",
    "Delete one or more manifest lists from local storage",
    (),
    run,
    least=1,
)
