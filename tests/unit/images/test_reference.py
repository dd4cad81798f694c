"""Names of images mean what they mean to docker."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lading.errors import InvalidParameter
from lading.images.reference import familiar_match, parse, parse_id, parse_repository

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("library/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("index.docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("lading/starter", "docker.io/lading/starter:latest", "lading/starter:latest"),
        ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
        ("localhost:5000/a/b:t", "localhost:5000/a/b:t", "localhost:5000/a/b:t"),
        ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
        ("Example.com/a", "Example.com/a:latest", "Example.com/a:latest"),
        ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
        (f"a@sha256:{HEX}", f"docker.io/library/a@sha256:{HEX}", f"a@sha256:{HEX}"),
        (f"a:t@sha256:{HEX}", f"docker.io/library/a:t@sha256:{HEX}", f"a:t@sha256:{HEX}"),
    ],
)
def test_normalized(text: str, full: str, familiar: str) -> None:
    reference = parse(text).tagged()
    assert str(reference) == full
    assert reference.familiar == familiar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid reference format"),
        (":tag", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a:-b", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("a/b:" + "t" * 129, "invalid reference format"),
        ("busybox\n", "invalid reference format"),
        ("BusyBox", "invalid reference format: repository name (library/BusyBox) must be lowercase"),
        ("me/App:1", "invalid reference format: repository name (me/App) must be lowercase"),
        (HEX, f"invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings"),
        (f"a@sha256:{HEX[:40]}", "invalid checksum digest length"),
        (f"a@md5:{HEX}", "unsupported digest algorithm"),
        ("a" * 256, "repository name must not be more than 255 characters"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse(text)
    assert caught.value.message == message


def test_a_tag_beside_the_name_wins() -> None:
    assert parse_repository("a:one", "two").familiar == "a:two"
    assert parse_repository("a").familiar == "a:latest"
    with pytest.raises(InvalidParameter, match="invalid tag format"):
        parse_repository("a", "bad tag")


def test_ids() -> None:
    assert parse_id(HEX) == parse_id(f"sha256:{HEX}") == f"sha256:{HEX}"
    assert parse_id(HEX[:12]) == ""
    assert parse_id(f"sha512:{HEX}") == ""


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("busybox", "busybox:latest", True),
        ("busy*", "busybox:latest", True),
        ("busybox:l?test", "busybox:latest", True),
        ("*", "lading/starter", False),
        ("*/*", "lading/starter", True),
        ("lading/[a-t]*", "lading/starter", True),
        ("lading/[^a-t]*", "lading/starter", False),
        ("ubuntu", "busybox", False),
        ("docker.io/library/busybox", "busybox", False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert familiar_match(pattern, parse(name).tagged()) is fits


def test_a_bad_pattern_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="syntax error in pattern"):
        familiar_match("busy[", parse("busybox"))


component = st.from_regex(r"[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?", fullmatch=True)
paths = st.lists(component, min_size=1, max_size=4).map("/".join)
domains = st.sampled_from(["", "docker.io/", "localhost/", "reg.example.com:5000/"])
tags = st.just("") | st.from_regex(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(domains, paths, tags)
def test_every_form_of_a_name_means_the_same(domain: str, path: str, tag: str) -> None:
    # With a dot in it, the short form's first part would be taken for a registry.
    assume("/" not in path or "." not in path.partition("/")[0])
    reference = parse(domain + path + tag)
    assert parse(str(reference)) == reference
    assert parse(reference.familiar) == reference


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        reference = parse(text)
    except InvalidParameter:
        return
    assert parse(str(reference)) == reference
