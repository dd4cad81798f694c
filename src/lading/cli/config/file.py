"""config.json as docker's clients keep it, read leniently and changed with care.

Everything in it that is not ours stays as it is.
"""

from __future__ import annotations

import posix

from lading.cli.errors import CommandFailed
from lading.cli.say import err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PIECE = 1 << 20


class ConfigFile:
    """What the file said when it was read; an unreadable one says nothing and is not written to.

    `broken` is why it could not be read, "" where it could.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.members: dict[str, Any] = {}
        self.broken = ""
        try:
            data = _read(path)
            if data.strip():
                from lading.cli.config.decoding import decode

                self.members = decode(data)
        except OSError as error:
            self.broken = f"loading config file: open {path}: {(error.strerror or '').lower()}"
        except ValueError as error:
            self.broken = f"parsing config file ({path}): {error}"

    def warn(self) -> None:
        """Tells the user of a file that cannot be read, in docker's words."""
        if self.broken:
            err(f"WARNING: Error {self.broken}")

    def text(self, name: str) -> str:
        """A member that is a string; "" where it is missing."""
        return self.members.get(name) or ""

    def map(self, name: str) -> dict[str, Any]:
        """A member that is an object; empty where it is missing."""
        return self.members.get(name) or {}

    def headers(self) -> list[tuple[str, str]]:
        """What the user wants sent along with every request. Raises CommandFailed."""
        found = []
        for name, value in self.map("HttpHeaders").items():
            if not name or any(not "!" <= letter <= "~" or letter == ":" for letter in name):
                raise CommandFailed(f'net/http: invalid header field name "{name}"')
            if any(letter < " " and letter != "\t" for letter in value or ""):
                raise CommandFailed(f'net/http: invalid header field value for "{name}"')
            if name.lower() != "user-agent":
                found.append((name, value or ""))
        return found

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Has `edit` change the members, on the disk too. Raises CommandFailed.

        The file is read anew, so that what others wrote meanwhile is kept.
        """
        from lading.cli.config.writing import rewrite

        def read() -> dict[str, Any]:
            now = ConfigFile(self.path)
            if now.broken:
                raise CommandFailed(f"{now.broken}; repair or remove it first, so that nothing in it is lost")
            return now.members

        self.members = rewrite(self.path, read, edit)


def _read(path: str) -> bytes:
    """Raises OSError, but not where there is no file."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    try:
        data = b""
        while piece := posix.read(descriptor, _PIECE):
            data += piece
        return data
    finally:
        posix.close(descriptor)
