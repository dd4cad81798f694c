"""config.json as docker's clients keep it, read leniently and changed with care.

Everything in it that is not ours stays as it is.
"""

from __future__ import annotations

import posix

from lading.cli.errors import CommandFailed
from lading.cli.say import err
from lading.client import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PIECE = 1 << 20
_AUTH_FIELDS = (
    *("auth", "email", "identitytoken", "password", "registrytoken", "serveraddress", "username"),
)
_PROXY_FIELDS = ("allProxy", "ftpProxy", "httpProxy", "httpsProxy", "noProxy")
_MAPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "auths": ("types.AuthConfig", _AUTH_FIELDS),
    "HttpHeaders": ("string", ()),
    "credHelpers": ("string", ()),
    "proxies": ("configfile.ProxyConfig", _PROXY_FIELDS),
}
"""Members that map names to something, and the strings in there."""
_TEXTS = (
    *("credsStore", "currentContext", "detachKeys", "imagesFormat", "networksFormat", "psFormat"),
    *("statsFormat", "volumesFormat"),
)


class ConfigFile:
    """What the file said when it was read; an unreadable one says nothing and is not written to.

    `broken` is why it could not be read, "" where it could.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.members: dict[str, Any] = {}
        self.broken = ""
        try:
            self.members = _decode(_read(path))
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


def _decode(data: bytes) -> dict[str, Any]:
    """Raises ValueError, worded as Go words it."""
    if not data.strip():
        return {}
    try:
        members = loads(data)
    except RecursionError:
        raise ValueError("exceeded max depth") from None
    except ValueError:
        raise ValueError(_complaint(data)) from None
    if members is None:
        return {}
    if not isinstance(members, dict):
        what = _kind(members)
        raise ValueError(f"json: cannot unmarshal {what} into Go value of type configfile.ConfigFile")
    for name, (kind, fields) in _MAPS.items():
        _check_map(name, members.get(name), kind, fields)
    for name in _TEXTS:
        _check(f"ConfigFile.{name}", members.get(name), str, "string")
    _check("ConfigFile.pruneFilters", members.get("pruneFilters"), list, "[]string")
    if members.get("auths"):
        from lading.cli.config.auths import decode_auth

        for entry in members["auths"].values():
            decode_auth((entry or {}).get("auth") or "")
    return members


def _complaint(data: bytes) -> str:
    import json

    text = data.decode("utf-8", "replace").rstrip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text) or error.msg.startswith("Unterminated"):
            return "unexpected EOF"
        return f"invalid character {text[error.pos]!r} in line {error.lineno}, column {error.colno}"
    return "not JSON"


def _check_map(name: str, value: Any, kind: str, fields: tuple[str, ...]) -> None:
    _check(f"ConfigFile.{name}", value, dict, f"map[string]{kind}")
    for entry in (value or {}).values():
        _check(f"ConfigFile.{name}", entry, dict if fields else str, kind)
        for field in fields if entry else ():
            _check(f"{kind.partition('.')[2]}.{name}.{field}", entry.get(field), str, "string")


def _check(place: str, value: Any, wanted: type, word: str) -> None:
    if value is not None and not isinstance(value, wanted):
        raise ValueError(f"json: cannot unmarshal {_kind(value)} into Go struct field {place} of type {word}")


def _kind(value: Any) -> str:
    kinds = {list: "array", dict: "object", str: "string", bool: "bool"}
    return kinds.get(type(value), "number")
