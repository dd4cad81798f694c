"""The local side of `cp`: what its paths lead to, archives of files, and files out of archives."""

from __future__ import annotations

import os
import stat

from lading.cli.copy_plan import Place
from lading.cli.errors import CommandFailed
from lading.errors import LadingError
from lading.linux.collect import Collector
from lading.linux.copy_into import CopyInto
from lading.oci import tar
from lading.schema import archive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lading.cli.copy_plan import Plan

_LINKS_IN_A_ROW = 10


def resolved(path: str) -> str:
    """An absolute path; a "/" or "/." at its end stays."""
    return archive.preserve_end(archive.clean(os.path.abspath(path)), path)


def check_output(path: str) -> None:
    """Raises CommandFailed where nothing could be written to."""
    directory = os.path.dirname(archive.clean(path)) if path else ""
    if directory and not os.path.exists(directory):
        raise CommandFailed(f'invalid output path: directory "{directory}" does not exist')
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
        raise CommandFailed(
            f'invalid output path: "{path}" must be a directory or a regular file: got a device'
        )


def source(path: str, follow: bool) -> Place:
    """What is to be copied; links before the last part are followed, the last one where wanted.

    Raises CommandFailed.
    """
    try:
        if follow:
            real, rebase = with_end(path, os.path.realpath(path, strict=True))
        else:
            above, name = os.path.split(path)
            real = os.path.join(os.path.realpath(above, strict=True), name)
            rebase = (
                archive.base(path) if path.endswith("/") and archive.base(path) != archive.base(real) else ""
            )
        return Place(real, True, stat.S_ISDIR(os.lstat(real).st_mode), rebase)
    except NotADirectoryError:
        raise CommandFailed("not a directory") from None
    except OSError as error:
        raise CommandFailed(f"lstat {error.filename or path}: {(error.strerror or '').lower()}") from None


def with_end(path: str, real: str) -> tuple[str, str]:
    """What a link led to, ending as the link was written, and the link's name where that differs."""
    if archive.means_content(path) and not archive.means_content(real):
        real = f"{real}/."
    if path.endswith("/") and not real.endswith("/"):
        real += "/"
    return real, archive.base(path) if archive.base(path) != archive.base(real) else ""


def target(path: str) -> Place:
    """Where a copy is to go; its last part need not exist. Raises CommandFailed."""
    asked, links = path, 0
    try:
        while stat.S_ISLNK((found := os.lstat(path)).st_mode):
            links += 1
            if links > _LINKS_IN_A_ROW:
                raise CommandFailed(f"too many symlinks in {asked}")
            path = archive.clean(os.path.join(archive.split_entry(path)[0], os.readlink(path)))
    except FileNotFoundError:
        above = archive.split_entry(path)[0]
        if not os.path.exists(above):
            raise CommandFailed(f"stat {above}: no such file or directory") from None
        if not os.path.isdir(above):
            raise CommandFailed("not a directory") from None
        return Place(path)
    except OSError as error:
        raise CommandFailed(f"lstat {path}: {(error.strerror or '').lower()}") from None
    return Place(path, True, stat.S_ISDIR(found.st_mode))


def pack(found: Place, how: Plan, push: Callable[[bytes], None]) -> None:
    """Writes an archive of what was found. Raises CommandFailed."""
    directory, name = archive.split_entry(found.path)
    shown = how.rename(found.rebase or name)
    collector = Collector(push)
    try:
        descriptor = os.open(found.path if name == "." else directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            collector.add(descriptor, os.fsencode(name if name != "/" else "."), os.fsencode(shown))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CommandFailed(f"cannot read {found.path}: {(error.strerror or '').lower()}") from None
    collector.finish()


def unpack(pieces: Iterator[bytes], plans: tuple[Plan, ...]) -> None:
    """Unpacks an archive into the directory of the last plan; names change by all of them.

    Files are ours, whoever owned them in the container. Raises CommandFailed.
    """
    directory = plans[-1].directory
    try:
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CommandFailed(f"open {directory}: {(error.strerror or '').lower()}") from None
    try:
        _Copy(root, directory, plans).run(lambda: next(pieces, b""))
    except LadingError as error:
        raise CommandFailed(error.message) from None
    finally:
        os.close(root)


class _Copy(CopyInto):
    def __init__(self, root: int, directory: str, plans: tuple[Plan, ...]) -> None:
        super().__init__(root, lambda entry: None, shown=archive.clean(directory))
        self._plans = plans

    def take(self, entry: tar.Entry, reader: tar.Reader) -> None:
        entry.name = self._renamed(entry.name)
        if entry.type == tar.HARD_LINK:
            entry.link = self._renamed(entry.link)
        super().take(entry, reader)

    def _renamed(self, name: bytes) -> bytes:
        text = os.fsdecode(name)
        for how in self._plans:
            text = how.rename(text)
        return os.fsencode(text)
