"""Who a process runs as, from the texts of /etc/passwd and /etc/group. Pure.

Source: passwd(5), group(5); which of several matches wins is docker's choice.
"""

import re
from collections.abc import Iterable

from lading.errors import InvalidParameter
from lading.runtime.spec.request import User
from lading.units import parse_whole

_HIGHEST = 2**31 - 1

_NUMBER = re.compile(r"[+-]?[0-9]+\Z")

_Row = list[str]


def find_user(spec: str, passwd: str, group: str, extra: Iterable[str] | None = None) -> User:
    """The user that `user[:group]` names, root if empty; `extra` are more groups, by name or number.

    A number is an ID even if somebody has it for a name. Raises
    InvalidParameter where a name is in neither file.
    """
    name, _, group_name = spec.partition(":")
    groups = _rows(group, columns=3)
    entry = _user_row(name or "0", passwd)
    if entry is None and name and not _NUMBER.match(name):
        raise InvalidParameter(f"unable to find user {name}: no matching entries in passwd file")
    uid = int(entry[2]) if entry else _number(name or "0")
    gid = int(entry[3]) if entry else 0
    more: list[int] = []
    if group_name:
        gid = _group_id(group_name, groups)
    elif entry:
        more = [int(row[2]) for row in groups if entry[0] in _members(row)]
    more += [_group_id(wanted, groups) for wanted in extra or ()]
    home = entry[5] if entry else ""
    return User(uid, gid, tuple(dict.fromkeys(more)), home or "/")


def _rows(text: str, columns: int) -> list[_Row]:
    rows = [line.split(":") for line in text.splitlines() if not line.startswith("#")]
    return [row for row in rows if len(row) >= columns and _is_id(row[2])]


def _is_id(text: str) -> bool:
    number = parse_whole(text) if text.isascii() and text.isdecimal() else None
    return number is not None and number <= _HIGHEST


def _members(row: _Row) -> list[str]:
    return row[3].split(",") if len(row) > 3 else []


def _user_row(name: str, passwd: str) -> _Row | None:
    column = 2 if _NUMBER.match(name) else 0
    for row in _rows(passwd, columns=6):
        if row[column] == name and _is_id(row[3]):
            return row
    return None


def _group_id(name: str, groups: Iterable[_Row]) -> int:
    column = 2 if _NUMBER.match(name) else 0
    for row in groups:
        if row[column] == name:
            return int(row[2])
    if not _NUMBER.match(name):
        raise InvalidParameter(f"unable to find group {name}: no matching entries in group file")
    return _number(name)


def _number(text: str) -> int:
    if not _is_id(text):
        raise InvalidParameter(f"uids and gids must be in range 0-{_HIGHEST}")
    return int(text)
