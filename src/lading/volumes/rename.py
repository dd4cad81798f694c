"""Another name for a volume.

Its directory and its row cannot change at once. So a note in the directory
says first which name is to come; whoever finds it later looks which of the two
names has a row, and goes on or forgets it.
"""

import os
from collections.abc import Callable

from lading.errors import Conflict
from lading.volumes.access import check_ours
from lading.volumes.context import Context
from lading.volumes.names import check_name
from lading.volumes.record import DRIVER
from lading.volumes.removal import find

_NOTE = "renamed-to"


def rename(ctx: Context, name: str, new: str, record: Callable[[], None], *, force: bool) -> None:
    """See `Volumes.rename`."""
    _check(ctx, name, new, force=force)
    # Whatever has the place without being a volume must not be taken for this one later.
    if (garbage := ctx.directories.set_aside(new)) is not None:
        ctx.directories.discard(garbage)
    note = f"{ctx.directories.directory(name)}/{_NOTE}"
    with open(note, "w", encoding="utf-8") as file:
        file.write(new)
    try:
        with ctx.store.database.transaction():
            ctx.store.rename(name, new)
            record()
    except BaseException:
        os.unlink(note)
        raise
    _finish(ctx, name, new)
    ctx.publish("rename", new, driver=DRIVER, oldName=name)


def _check(ctx: Context, name: str, new: str, *, force: bool) -> None:
    """Raises NotFound, Conflict, InvalidParameter, Unsupported."""
    volume = find(ctx, name)
    check_ours("rename", volume)
    check_name(new)
    if ctx.store.get(new) is not None:
        raise Conflict(f"rename {name}: a volume named {new} exists already")
    users = ctx.store.users(name)
    if users and (not force or any(user.startswith("lading-") for user in users)):
        said = "use force to have these containers changed too"
        raise Conflict(f"rename {name}: volume is in use - [{', '.join(users)}]: {said}")


def _finish(ctx: Context, name: str, new: str) -> None:
    """After the transaction. Raises OSError."""
    os.rename(ctx.directories.directory(name), ctx.directories.directory(new))
    os.unlink(f"{ctx.directories.directory(new)}/{_NOTE}")


def settle(ctx: Context) -> None:
    """At start: ends what was begun. Raises OSError."""
    for name in ctx.directories.names():
        path = f"{ctx.directories.directory(name)}/{_NOTE}"
        try:
            with open(path, encoding="utf-8") as note:
                new = note.read()
        except (FileNotFoundError, NotADirectoryError):
            continue
        renamed = new and ctx.store.get(name) is None and ctx.store.get(new) is not None
        if renamed and not os.path.exists(ctx.directories.directory(new)):
            _finish(ctx, name, new)
        else:
            os.unlink(path)
