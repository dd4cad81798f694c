"""What `cp` makes of its two paths."""

import pytest

from lading.cli.copy_plan import Place, Plan, plan, split_argument
from lading.cli.copy_progress import human
from lading.cli.errors import CommandFailed


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("web:/etc", ("web", "/etc")),
        ("web:a:b", ("web", "a:b")),
        ("web:", ("web", "")),
        ("/a:b", ("", "/a:b")),
        ("./a:b", ("", "./a:b")),
        ("../a:b", ("", "../a:b")),
        ("plain", ("", "plain")),
        ("-", ("", "-")),
    ],
)
def test_which_side_is_the_container(argument: str, parts: tuple[str, str]) -> None:
    assert split_argument(argument) == parts


FILE = Place("/s/f", True)
DIRECTORY = Place("/s/d", True, True)
CONTENT = Place("/s/d/.", True, True)


@pytest.mark.parametrize(
    ("source", "target", "meant"),
    [
        (FILE, Place("/t", True, True), Plan("/t")),
        (FILE, Place("/t/x", True), Plan("/t", "f", "x")),
        (FILE, Place("/t/x"), Plan("/t", "f", "x")),
        (DIRECTORY, Place("/t", True, True), Plan("/t")),
        (DIRECTORY, Place("/t/x"), Plan("/t", "d", "x")),
        (DIRECTORY, Place("/t/x/"), Plan("/t", "d", "x")),
        (CONTENT, Place("/t/x"), Plan("/t", ".", "x")),
        (Place("/", True, True), Place("/t/x"), Plan("/t", "", "x")),
        (Place("/s/real", True, False, "asked"), Place("/t/x"), Plan("/t", "asked", "x")),
    ],
)
def test_where_an_archive_goes_and_how_it_is_called(source: Place, target: Place, meant: Plan) -> None:
    assert plan(source, target) == meant


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (DIRECTORY, Place("/t/x", True), "cannot copy directory"),
        (FILE, Place("/t/x/"), "no such directory"),
        (FILE, Place("/t/x/."), "no such directory"),
    ],
)
def test_what_cannot_be(source: Place, target: Place, said: str) -> None:
    with pytest.raises(CommandFailed) as refused:
        plan(source, target)
    assert refused.value.message == said


def test_only_the_first_part_of_a_name_changes() -> None:
    assert Plan("/t", "d", "x").rename("d/d/f") == "x/d/f"
    assert Plan("/t", ".", "x").rename("./a.b") == "x/a.b"
    assert Plan("/t", "", "x").rename("/etc/") == "x/etc/"
    assert Plan("/t").rename("d/f") == "d/f"


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0B"), (2048, "2.05kB"), (1_984_512, "1.98MB"), (999, "999B"), (306_000_000, "306MB")],
)
def test_sizes_have_three_digits(size: int, shown: str) -> None:
    assert human(size) == shown
