"""What `cp` means by its two paths. Pure.

Source: docker's documentation of `docker cp`; which names go into the archive
is what its client sends.
"""

from __future__ import annotations

from dataclasses import dataclass

from lading.cli.errors import CommandFailed
from lading.schema.archive import split_entry


@dataclass(frozen=True)
class Place:
    """One side of a copy. `rebase` is the name asked for where `path` is what a link led to."""

    path: str
    exists: bool = False
    is_directory: bool = False
    rebase: str = ""


@dataclass(frozen=True)
class Plan:
    """Into which directory an archive is unpacked, and which start of its names becomes another."""

    directory: str
    old: str = ""
    new: str = ""

    def rename(self, name: str) -> str:
        """A member's name as it is to be unpacked."""
        return name.replace(self.old, self.new, 1) if self.new else name


def split_argument(argument: str) -> tuple[str, str]:
    """The container, or "", and the path: "name:path", unless it begins as a local path does."""
    if argument.startswith("/"):
        return "", argument
    container, colon, path = argument.partition(":")
    if not colon or container.startswith("."):
        return "", argument
    return container, path


def plan(source: Place, target: Place) -> Plan:
    """How a copy is to be unpacked. Raises CommandFailed."""
    if target.exists and target.is_directory:
        return Plan(target.path)
    if target.exists and source.is_directory:
        raise CommandFailed("cannot copy directory")
    if not target.exists and not source.is_directory and _means_directory(target.path):
        raise CommandFailed("no such directory")
    directory, name = split_entry(target.path)
    old = source.rebase or split_entry(source.path)[1]
    # The names in an archive of the root begin with a slash, which stays.
    return Plan(directory, "" if old == "/" else old, name)


def rebased(old: str, new: str) -> Plan:
    """Only another name for what was asked for by a link."""
    return Plan("", "" if old == "/" else old, new)


def _means_directory(path: str) -> bool:
    return path.endswith("/") or path.rstrip("/").rpartition("/")[2] == "."
