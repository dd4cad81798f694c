"""`search`, beside docker's client."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Recorder, as_json, refusal
from tests.cli.settings import alike, write

from lading.cli.commands.search import shorten

Run = Callable[..., Outcome]

FOUND = [
    {
        "name": "busybox",
        "description": "Many\nprograms in one\rfile, " + "long " * 20,
        "star_count": 5,
        "is_official": True,
        "is_automated": False,
    },
    {
        "name": "x/y",
        "description": "äöü 世界 " * 9,
        "star_count": 77,
        "is_official": False,
        "is_automated": True,
    },
    {"name": "z", "description": "", "star_count": 0},
]
CASES: list[tuple[str, ...]] = [
    ("b",),
    ("--no-trunc", "b"),
    ("--limit", "3", "b"),
    ("-f", "stars=3", "--filter", "is-official=true", "b"),
    ("--format", "{{.Name}}: {{.StarCount}} {{.IsOfficial}}", "b"),
    ("--format", "table", "b"),
    ("--format", "table {{.Name}}\t{{.IsOfficial}}", "b"),
    ("--format", "json", "b"),
    ("--format", "{{json .}}", "b"),
    ("--format", "{{json .IsOfficial}}", "b"),
    ("x:1/b",),
    ("docker.io/library/b",),
    ("index.docker.io/b",),
    ("user/b",),
    (),
    ("a", "b"),
    ("--limit", "x", "b"),
    ("-f", "x", "b"),
    ("--stars", "3", "b"),
]


@needs_docker
@pytest.mark.parametrize("words", CASES)
def test_same_as_docker(
    words: tuple[str, ...], settings: Path, recorder: Recorder, docker: Run, lading: Run
) -> None:
    hub, other = {"auth": "aHViOnB3"}, {"auth": "b3RoZXI6cHc="}
    write(settings, {"auths": {"https://index.docker.io/v1/": hub, "x:1": other}})
    recorder.answers["GET /images/search"] = as_json(FOUND)
    results = []
    for run in (docker, lading):
        outcome = alike(run("search", *words))
        asked = [(call.path, call.query, call.headers["x-registry-auth"]) for call in recorder.take()]
        results.append((outcome, asked))
    assert results[1] == results[0]


@needs_docker
def test_nothing_found_and_a_refusal(recorder: Recorder, docker: Run, lading: Run) -> None:
    recorder.answers["GET /images/search"] = as_json([])
    assert lading("search", "b") == docker("search", "b")
    recorder.answers["GET /images/search"] = refusal(500, "Unexpected status code 500")
    assert lading("search", "b") == docker("search", "b")


def test_credentials_that_are_not_taken_do_not_make_a_script_wait(recorder: Recorder, lading: Run) -> None:
    recorder.answers["GET /images/search"] = refusal(401, "no")
    assert lading("search", "b") == Outcome(1, "", "Error response from daemon: no\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("12345", "12345"), ("123456", "1234…"), ("世界", "世界"), ("世界世", "世界…"), ("1世界世", "1世…")],
)
def test_shortening_counts_columns(text: str, shown: str) -> None:
    assert shorten(text, 5) == shown


def test_descriptions_give_terminals_no_commands(recorder: Recorder, lading: Run) -> None:
    recorder.answers["GET /images/search"] = as_json([{"name": "x\x1b[2J", "description": "a\x9b1m\x07b"}])
    shown = lading("search", "b").out
    assert "x\ufffd[2J" in shown
    assert "a\ufffd1m\ufffdb" in shown
