"""Writes config.json: whole or not at all, for its owner alone, and through a symbolic link."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile

from lading.cli.errors import CommandFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def rewrite(
    path: str, read: Callable[[], dict[str, Any]], edit: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Has `edit` change what `read` finds in the file, writes it, and returns it.

    One process at a time. What does not change is not written. Raises CommandFailed.
    """
    try:
        place = os.path.realpath(path)
        os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
        with _alone(os.path.dirname(place)):
            members = read()
            before = json.dumps(members)
            edit(members)
            if json.dumps(members) != before:
                _replace(place, _text(members).encode("utf-8", "surrogateescape"))
        return members
    except OSError as error:
        raise CommandFailed(f"write {path}: {(error.strerror or '').lower()}") from None


@contextlib.contextmanager
def _alone(directory: str) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems know no locks; then it is as with docker.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _text(members: dict[str, Any]) -> str:
    """As docker lays the file out."""
    headers = members.get("HttpHeaders") or {}
    for name in [name for name in headers if name.lower() == "user-agent"]:
        del headers[name]
    ordered = {"auths": members.get("auths") or {}} | members
    return json.dumps(ordered | {"auths": ordered["auths"] or {}}, indent="\t", ensure_ascii=False)


def _replace(place: str, data: bytes) -> None:
    descriptor, unfinished = tempfile.mkstemp(prefix="config.json", dir=os.path.dirname(place))
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            _keep_ownership(place, file.fileno())
            os.fsync(file.fileno())
        os.rename(unfinished, place)
    except BaseException:
        os.unlink(unfinished)
        raise


def _keep_ownership(place: str, descriptor: int) -> None:
    """A file that was there keeps its owner and mode; a new one is its owner's alone."""
    try:
        old = os.stat(place)
    except FileNotFoundError:
        return
    with contextlib.suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o777)
