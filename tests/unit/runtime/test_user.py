"""Who a process runs as."""

import pytest

from lading.errors import InvalidParameter
from lading.runtime.spec import User, find_user

_PASSWD = """# a comment
root:x:0:0:root:/root:/bin/sh
broken:x:notanumber:0::/:/bin/sh
half:x:5
sailor:x:1000:100::/home/sailor:/bin/sh
2000:x:1001:100::/home/number:/bin/sh
homeless:x:1002:100:::/bin/sh
"""
_GROUP = """root:x:0:
users:x:100:root
deck:x:2000:sailor,root
cargo:x:2001
"""


@pytest.mark.parametrize(
    ("spec", "user"),
    [
        ("", User(0, 0, (100, 2000), "/root")),
        ("root", User(0, 0, (100, 2000), "/root")),
        ("sailor", User(1000, 100, (2000,), "/home/sailor")),
        ("1000", User(1000, 100, (2000,), "/home/sailor")),
        ("sailor:deck", User(1000, 2000, (), "/home/sailor")),
        ("sailor:77", User(1000, 77, (), "/home/sailor")),
        (":cargo", User(0, 2001, (), "/root")),
        ("4242", User(4242, 0, (), "/")),
        ("4242:users", User(4242, 100, (), "/")),
        ("homeless", User(1002, 100, (), "/")),
    ],
)
def test_who_is_meant(spec: str, user: User) -> None:
    assert find_user(spec, _PASSWD, _GROUP) == user


def test_a_number_is_an_id_though_somebody_is_called_so() -> None:
    assert find_user("2000", _PASSWD, _GROUP).uid == 2000


def test_more_groups() -> None:
    assert find_user("sailor", _PASSWD, _GROUP, ["cargo", "55", "deck"]).groups == (2000, 2001, 55)


def test_without_any_file_root_is_still_root() -> None:
    assert find_user("", "", "") == User(0, 0, (), "/")


@pytest.mark.parametrize(
    ("spec", "extra", "message"),
    [
        ("foo", [], "unable to find user foo: no matching entries in passwd file"),
        ("broken", [], "unable to find user broken: no matching entries in passwd file"),
        ("root:foo", [], "unable to find group foo: no matching entries in group file"),
        ("root", ["foo"], "unable to find group foo: no matching entries in group file"),
        ("-1", [], "uids and gids must be in range 0-2147483647"),
        ("4294967295", [], "uids and gids must be in range 0-2147483647"),
        ("root:99999999999", [], "uids and gids must be in range 0-2147483647"),
    ],
)
def test_who_cannot_be_found(spec: str, extra: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        find_user(spec, _PASSWD, _GROUP, extra)
