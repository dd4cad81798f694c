"""What config.json must be to be understood. Pure."""

from __future__ import annotations

from lading.cli.config.auths import decode_auth
from lading.client import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def decode(data: bytes) -> dict[str, Any]:
    """The file's members. Raises ValueError, worded as Go words it."""
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
    for entry in (members.get("auths") or {}).values():
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
