"""Paths and modes as docker's clients read and write them."""

import stat

import pytest

from lading.schema import archive


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/a/b", "/a/b"),
        ("a/b", "/a/b"),
        ("a//b/../c", "/a/c"),
        ("../../etc", "/etc"),
        ("/a/", "/a/"),
        ("/a/.", "/a/."),
        ("/a/./", "/a/./"),
        (".", "/."),
        ("/", "/"),
        ("//a", "/a"),
        ("/.", "/."),
    ],
)
def test_absolute_keeps_an_end_that_means_something(path: str, meant: str) -> None:
    assert archive.absolute(path) == meant


@pytest.mark.parametrize(
    ("path", "last"), [("", "."), ("/", "/"), ("//", "/"), ("/a/b/", "b"), ("a/.", "."), ("a", "a")]
)
def test_base(path: str, last: str) -> None:
    assert archive.base(path) == last


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a/b", ("/a", "b")),
        ("/a/b/", ("/a", "b")),
        ("/a/b/.", ("/a/b", ".")),
        ("/a", ("/", "a")),
        ("/", ("/", "/")),
        ("/.", ("/", ".")),
        ("a", (".", "a")),
        (".", (".", ".")),
        ("a/..", (".", ".")),
    ],
)
def test_split_entry(path: str, parts: tuple[str, str]) -> None:
    assert archive.split_entry(path) == parts


@pytest.mark.parametrize(
    ("path", "directory", "inside"),
    [
        ("/a", "/a", True),
        ("/a/b", "/a", True),
        ("/ab", "/a", False),
        ("/", "/a", False),
        ("/a", "/", True),
        ("/a/b", "/a/", True),
    ],
)
def test_within(path: str, directory: str, inside: bool) -> None:
    assert archive.within(path, directory) is inside


def test_modes_are_gos() -> None:
    assert archive.file_mode(stat.S_IFREG | 0o644) == 0o644
    assert archive.file_mode(stat.S_IFDIR | stat.S_ISVTX | 0o777) == 1 << 31 | 1 << 20 | 0o777
    assert archive.file_mode(stat.S_IFREG | stat.S_ISUID | stat.S_ISGID | 0o755) == 1 << 23 | 1 << 22 | 0o755
    assert archive.file_mode(stat.S_IFCHR | 0o600) == 1 << 26 | 1 << 21 | 0o600
    assert archive.file_mode(stat.S_IFBLK) == 1 << 26
    assert archive.file_mode(stat.S_IFLNK | 0o777) == 1 << 27 | 0o777
    assert archive.file_mode(stat.S_IFIFO) == 1 << 25
    assert archive.file_mode(stat.S_IFSOCK) == 1 << 24
