"""Who a process runs as, from the texts of /etc/passwd and /etc/group. Pure."""

from collections.abc import Iterable

from lading.errors import InvalidParameter
from lading.runtime.spec.request import User

_HIGHEST = 2**31 - 1


def find_user(spec: str, passwd: str, group: str, extra: Iterable[str] | None = None) -> User:
    """The user that `user[:group]` names; `extra` are more groups, by name or number.

    Raises InvalidParameter where a name is in neither file.
    """
    name, _, group_name = spec.partition(":")
    entry = _passwd_entry(name or "0", passwd)
    groups: list[int] = []
    if entry is not None:
        uid, gid, home, login = int(entry[2]), int(entry[3]), entry[5], entry[0]
        if not group_name:
            groups = [int(row[2]) for row in _rows(group, 4) if login in row[3].split(",")]
    elif name.isdecimal():
        uid, gid, home = _number(name, "uids and gids"), 0, "/"
    else:
        raise InvalidParameter(f"unable to find user {name}: no matching entries in passwd file")
    if group_name:
        gid = _group_id(group_name, group)
    groups += [_group_id(wanted, group) for wanted in extra or ()]
    return User(uid, gid, tuple(dict.fromkeys(groups)), home or "/")


def _rows(text: str, columns: int) -> list[list[str]]:
    rows = [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]
    return [row for row in rows if len(row) >= columns and row[2].isdecimal()]


def _passwd_entry(name: str, passwd: str) -> list[str] | None:
    rows = [row for row in _rows(passwd, 6) if row[3].isdecimal()]
    for row in rows:
        if row[0] == name:
            return row
    for row in rows:
        if row[2] == name:
            return row
    return None


def _group_id(name: str, group: str) -> int:
    for row in _rows(group, 3):
        if name in (row[0], row[2]):
            return int(row[2])
    if name.isdecimal():
        return _number(name, "uids and gids")
    raise InvalidParameter(f"unable to find group {name}: no matching entries in group file")


def _number(text: str, what: str) -> int:
    number = int(text)
    if number > _HIGHEST:
        raise InvalidParameter(f"{what} must be in range 0-{_HIGHEST}")
    return number
