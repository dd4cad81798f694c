"""Narrowing what `ps` shows to one container."""

import pytest

from lading.containers.processes import check_arguments, narrowed
from lading.errors import InternalError, InvalidParameter

_LISTING = """UID   PID  TTY CMD
root    1  ?   init --all the way
app    22  ?   worker\u00a0one --flag
-       -  -   -
root   23  ?   other
-       -  -   -
app    24  ?
"""


def test_only_ours_with_their_threads() -> None:
    shown = narrowed(_LISTING, {22, 24})
    assert shown["Titles"] == ["UID", "PID", "TTY", "CMD"]
    assert shown["Processes"] == [
        ["app", "22", "?", "worker\u00a0one --flag"],
        ["-", "-", "-", "-"],
        ["app", "24", "?", ""],
    ]


def test_nobody_is_null() -> None:
    assert narrowed(_LISTING, set())["Processes"] is None


def test_no_pid_column() -> None:
    with pytest.raises(InternalError, match="Couldn't find PID field"):
        narrowed("COMMAND\nsh\n", {1})


@pytest.mark.parametrize(
    ("text", "good"), [("-o pid=PID", True), ("-eo ppid=PID", False), ("a\0b", False), ("aux", True)]
)
def test_another_column_must_not_pass_for_the_pid(text: str, good: bool) -> None:
    if good:
        check_arguments(text)
    else:
        with pytest.raises(InvalidParameter):
            check_arguments(text)
