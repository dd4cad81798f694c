"""`lading cp`."""

from __future__ import annotations

import os
import posixpath

from lading.cli.command import Command
from lading.cli.copy_plan import Place, plan, rebased, split_argument
from lading.cli.copy_progress import Progress
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.say import write
from lading.client import ApiError
from lading.schema import archive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_STAT = "x-docker-container-path-stat"
_PIECE = 1 << 20


def run(session: Session, given: Given) -> None:
    source, target = given.operands
    if not source:
        raise CommandFailed("source can not be empty")
    if not target:
        raise CommandFailed("destination can not be empty")
    quiet = given["quiet"] if "quiet" in given else not os.isatty(1)
    from_container, source_path = split_argument(source)
    to_container, target_path = split_argument(target)
    if from_container and to_container:
        raise CommandFailed("copying between containers is not supported")
    if from_container:
        _copy_out(session, from_container, source_path, target_path, follow=given["follow-link"], quiet=quiet)
    elif to_container:
        copy = _CopyIn(session, to_container, given["archive"], quiet)
        copy.run(source_path, target_path, follow=given["follow-link"])
    else:
        raise CommandFailed("must specify at least one container source")


def _copy_out(session: Session, container: str, path: str, target: str, *, follow: bool, quiet: bool) -> None:
    from lading.cli import copy_local

    if target != "-":
        target = copy_local.resolved(target)
    copy_local.check_output(target)
    link_name = ""
    if follow:
        found = _stat(session, container, path)
        if found is not None and found["mode"] & archive.MODE_SYMLINK:
            path, link_name = copy_local.with_end(path, _led_to(path, found))
    answer = session.client.stream("GET", _archive(container), [("path", path)])
    pieces = answer.pieces()
    if target == "-":
        for piece in pieces:
            write(1, piece)
        return
    found = _decoded(answer.headers)
    came = Place(path, True, bool(found["mode"] & archive.MODE_DIRECTORY), link_name)
    plans = [plan(came, copy_local.target(target))]
    if link_name:
        plans.insert(0, rebased(archive.split_entry(path)[1], link_name))
    with Progress("Copying from container - ", quiet=quiet) as progress:
        copy_local.unpack(_counted(pieces, progress), tuple(plans))
    progress.done(target)


def _counted(pieces: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
    for piece in pieces:
        progress.add(len(piece))
        yield piece


class _CopyIn:
    def __init__(self, session: Session, container: str, to_user: bool, quiet: bool) -> None:
        self._session = session
        self._container = container
        self._to_user = to_user
        self._quiet = quiet

    def run(self, source: str, path: str, *, follow: bool) -> None:
        from lading.cli import copy_local

        target = self._target(path)
        if source == "-":
            if not target.is_directory:
                raise CommandFailed(f'destination "{self._container}:{path}" must be a directory')
            self._send(target.path, _pass_stdin, target.path)
            return
        found = copy_local.source(copy_local.resolved(source), follow)
        how = plan(found, target)
        self._send(how.directory, lambda push: copy_local.pack(found, how, push), target.path)

    def _target(self, path: str) -> Place:
        found = _stat(self._session, self._container, path)
        led_to = path
        if found is not None and found["mode"] & archive.MODE_SYMLINK:
            led_to = _led_to(path, found)
            found = _stat(self._session, self._container, led_to)
        if found is None:
            return Place(led_to)
        if found["mode"] & (archive.MODE_DEVICE | archive.MODE_IRREGULAR):
            what = "a device" if found["mode"] & archive.MODE_DEVICE else "an irregular file"
            raise CommandFailed(
                f'destination "{self._container}:{path}" must be a directory or a regular file: got {what}'
            )
        return Place(led_to, True, bool(found["mode"] & archive.MODE_DIRECTORY))

    def _send(self, directory: str, produce: Callable[[Callable[[bytes], None]], None], shown: str) -> None:
        query = [("path", directory), ("noOverwriteDirNonDir", "true")]
        if self._to_user:
            query.append(("copyUIDGID", "true"))
        with Progress("Copying to container - ", quiet=self._quiet) as progress:

            def counted(push: Callable[[bytes], None]) -> None:
                def counting(piece: bytes) -> None:
                    progress.add(len(piece))
                    push(piece)

                produce(counting)

            self._session.client.put(_archive(self._container), query, counted).read()
        progress.done(f"{self._container}:{shown}")


def _pass_stdin(push: Callable[[bytes], None]) -> None:
    while piece := os.read(0, _PIECE):
        push(piece)


def _archive(container: str) -> str:
    return f"/containers/{container}/archive"


def _stat(session: Session, container: str, path: str) -> dict[str, Any] | None:
    """What a path in a container leads to; None where the engine does not say."""
    try:
        return _decoded(session.client.call("HEAD", _archive(container), [("path", path)]).headers)
    except ApiError:
        return None


def _decoded(headers: dict[str, str]) -> dict[str, Any]:
    import base64
    import json

    try:
        found: dict[str, Any] = json.loads(base64.b64decode(headers.get(_STAT, "")))
    except ValueError:
        raise CommandFailed("the engine does not say what the path leads to") from None
    return found


def _led_to(path: str, found: dict[str, Any]) -> str:
    return posixpath.join(archive.split_entry(path)[0], str(found["linkTarget"]))


COMMAND = Command(
    "cp",
    "CONTAINER:SRC_PATH DEST_PATH|-\n\tlading cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    "Copy files between a container and this machine (-: a tar archive on stdin or stdout)",
    (
        Flag("archive", "a", "", "Give the copies to the user the container runs as"),
        Flag("follow-link", "L", "", "Copy what a link in SRC_PATH leads to"),
        Flag("quiet", "q", "", "Show no progress; the default where there is no terminal"),
    ),
    run,
    least=2,
    most=2,
    aliases=("container cp", "cp"),
)
