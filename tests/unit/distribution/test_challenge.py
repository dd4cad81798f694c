"""Reading WWW-Authenticate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.distribution.challenge import Challenge, challenges


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
            [Challenge("bearer", {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"})],
        ),
        (
            ['Bearer realm="r",scope="repository:a/b:pull,push",error="insufficient_scope"'],
            [
                Challenge(
                    "bearer",
                    {"realm": "r", "scope": "repository:a/b:pull,push", "error": "insufficient_scope"},
                )
            ],
        ),
        (['Basic realm="a \\"quoted\\" \\\\ one"'], [Challenge("basic", {"realm": 'a "quoted" \\ one'})]),
        (
            ['Basic realm=simple, Bearer Realm="r", service=s'],
            [
                Challenge("basic", {"realm": "simple"}),
                Challenge("bearer", {"realm": "r", "service": "s"}),
            ],
        ),
        (
            ['Basic realm="x"', 'Bearer realm="y"'],
            [Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y"})],
        ),
        (
            ['Negotiate, Basic realm="x"'],
            [Challenge("negotiate"), Challenge("basic", {"realm": "x"})],
        ),
        (
            ['Negotiate YWJjZA==, Basic realm="x"'],
            [Challenge("negotiate"), Challenge("basic", {"realm": "x"})],
        ),
        (["Negotiate"], [Challenge("negotiate")]),
        (['  ,, Basic   realm = "x" ,'], [Challenge("basic", {"realm": "x"})]),
        (['Basic realm="not closed'], [Challenge("basic", {"realm": ""})]),
        ([""], []),
        ([], []),
    ],
)
def test_challenges_are_read(fields: list[str], expected: list[Challenge]) -> None:
    assert challenges(fields) == expected


@given(st.lists(st.text(max_size=200)))
def test_nothing_a_server_says_makes_it_fail(fields: list[str]) -> None:
    for challenge in challenges(fields):
        assert challenge.scheme == challenge.scheme.lower()


_WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
_CHALLENGES = st.builds(Challenge, _WORDS, st.dictionaries(_WORDS, _VALUES, min_size=1, max_size=4))


@given(st.lists(_CHALLENGES, min_size=1, max_size=4))
def test_what_is_written_is_read_again(written: list[Challenge]) -> None:
    texts = []
    for challenge in written:
        parameters = (
            '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
            for name, value in challenge.parameters.items()
        )
        texts.append(f"{challenge.scheme} {', '.join(parameters)}")
    assert challenges(texts) == written
    assert challenges([", ".join(texts)]) == written
