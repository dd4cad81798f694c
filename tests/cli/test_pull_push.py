"""`pull`, `push`, and what `run` and `create` pull: beside docker's client, piped and on a terminal."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.cli.conftest import DOCKER, Outcome, needs_docker
from tests.cli.recorder import Answer, Call, Recorder, as_json, refusal
from tests.cli.settings import alike, write

from lading.cli.progress import bar

Run = Callable[..., Outcome]

DIGEST = "sha256:" + "a" * 64
SETTINGS = {
    "auths": {
        "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
        "x:1": {"auth": "eDp5"},
        "https://old.example/v2/": {"auth": "eTp5", "email": "e@f"},
        "token:1": {"auth": "dDo=", "identitytoken": "ID"},
        "registry-token:1": {"registrytoken": "RT"},
    }
}


def _step(identifier: str, status: str, **detail: int | str) -> dict[str, Any]:
    return {"id": identifier, "status": status, "progressDetail": detail}


PULL: list[dict[str, Any]] = [
    {"id": "latest", "status": "Pulling from library/b"},
    _step("aaaaaaaaaaaa", "Pulling fs layer"),
    _step("bbbbbbbbbbbb", "Pulling fs layer"),
    _step("cccccccccccc", "Already exists"),
    _step("bbbbbbbbbbbb", "Waiting"),
    _step("aaaaaaaaaaaa", "Downloading", current=500, total=30000),
    {**_step("aaaaaaaaaaaa", "Downloading", current=15000, total=30000), "progress": "[==>  ]  15kB/30kB"},
    _step("bbbbbbbbbbbb", "Downloading", current=123456789),
    _step("aaaaaaaaaaaa", "Verifying Checksum"),
    _step("aaaaaaaaaaaa", "Download complete"),
    _step("bbbbbbbbbbbb", "Extracting", current=3, units="s"),
    _step("aaaaaaaaaaaa", "Extracting", current=40000, total=30000),
    _step("aaaaaaaaaaaa", "Extracting", current=1, total=3, units="files"),
    _step("aaaaaaaaaaaa", "Pull complete"),
    {"id": "bbbbbbbbbbbb", "status": "Retrying in 5 seconds"},
    _step("bbbbbbbbbbbb", "Pull complete"),
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Downloaded newer image for b:latest"},
]
PUSH: list[dict[str, Any]] = [
    {"status": "The push refers to repository [docker.io/library/b]"},
    _step("aaaaaaaaaaaa", "Preparing"),
    _step("bbbbbbbbbbbb", "Waiting"),
    _step("aaaaaaaaaaaa", "Pushing", current=500, total=30000),
    _step("aaaaaaaaaaaa", "Pushing", current=32256),
    _step("aaaaaaaaaaaa", "Pushed"),
    _step("bbbbbbbbbbbb", "Layer already exists"),
    {"status": f"latest: digest: {DIGEST} size: 527"},
    {"progressDetail": {}, "aux": {"Tag": "latest", "Digest": DIGEST, "Size": 527}},
]
FAILURE = {"errorDetail": {"code": 500, "message": "it broke"}, "error": "it broke"}


def messages(*values: dict[str, Any]) -> Answer:
    """A stream of progress, each message in a piece of its own as engines send them."""
    return Answer(pieces=lambda: (json.dumps(value).encode() + b"\r\n" for value in values))


@pytest.fixture(autouse=True)
def _engine(recorder: Recorder, settings: Path) -> None:
    write(settings, SETTINGS)
    recorder.answers["POST /images/create"] = messages(*PULL)
    for name in ("docker.io/library/b", "x:1/b"):
        recorder.answers[f"POST /images/{name}/push"] = messages(*PUSH)


def asked(recorder: Recorder) -> list[Any]:
    return [
        (call.method, call.path, call.query, call.headers.get("x-registry-auth")) for call in recorder.take()
    ]


CASES = [
    "pull b",
    "pull -q b",
    "pull b:1",
    "pull docker.io/library/b",
    "pull nope/b",
    "pull x:1/b",
    "pull old.example/b",
    "pull token:1/b",
    "pull registry-token:1/b",
    "pull unknown:1/b",
    "pull -a x:1/b",
    "pull -a x:1/b:1",
    f"pull b@{DIGEST}",
    f"pull old.example/b:1@{DIGEST}",
    "pull --platform linux/arm/v7 b",
    "pull --platform Linux/X86_64 b",
    "pull --disable-content-trust b",
    "image pull b",
    "pull",
    "pull a b",
    "pull B",
    "pull a:b:c",
    "pull " + "a" * 64,
    "push b",
    "push -q b",
    "push b:1",
    "push -a x:1/b",
    "push -a b:1",
    "push x:1/b:2",
    f"push b@{DIGEST}",
    "push --platform linux/arm64/v8 b",
    "push --platform linux/aarch64 -q b",
    "push --disable-content-trust b",
    "image push b",
    "push absent",
    "push",
    "push B",
    "create --pull always b",
    "create --pull always --quiet x:1/b:2",
    "create --pull always --platform linux/arm64 b",
    "create --pull never b",
    f"create --pull always x:1/b@{DIGEST}",
    "create --pull sometimes b",
]


@needs_docker
@pytest.mark.parametrize("line", CASES)
def test_same_as_docker(line: str, recorder: Recorder, docker: Run, lading: Run) -> None:
    results = []
    for run in (docker, lading):
        outcome = alike(run(*line.split()))
        results.append((outcome, asked(recorder)))
    assert results[1] == results[0]


@needs_docker
@pytest.mark.parametrize("line", ["pull b", "pull -q b", "push b", "push -q b", "create --pull always b"])
@pytest.mark.parametrize(
    "answer",
    [
        messages(*PULL[:6], FAILURE),
        messages(FAILURE),
        refusal(404, "pull access denied for b, repository does not exist or may require 'docker login'"),
        refusal(500, "no space left on device"),
    ],
)
def test_failures_are_told_as_docker_tells_them(
    line: str, answer: Answer, recorder: Recorder, docker: Run, lading: Run
) -> None:
    for path in ("/images/create", "/images/docker.io/library/b/push"):
        recorder.answers[f"POST {path}"] = answer
    ours, theirs = alike(lading(*line.split())), docker(*line.split())
    assert ours == theirs
    assert ours.code == 1


@needs_docker
def test_a_missing_image_is_fetched(recorder: Recorder, docker: Run, lading: Run) -> None:
    results = []
    for run in (docker, lading):
        recorder.answers["POST /containers/create"] = _absent_once()
        outcome = run("create", "--platform", "linux/arm64", "x:1/b")
        results.append((outcome, asked(recorder)))
    assert results[1] == results[0]
    assert results[1][0].err.startswith("Unable to find image 'x:1/b:latest' locally\nlatest: Pulling from")


def _absent_once() -> Callable[[Call], Answer]:
    answers = iter(
        [refusal(404, "No such image: x:1/b:latest"), as_json({"Id": "c" * 64, "Warnings": []}, 201)]
    )
    return lambda call: next(answers)


@needs_docker
def test_the_usual_platform(
    recorder: Recorder, docker: Run, lading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
    for words in (("pull", "b"), ("pull", "--platform", "linux/386", "b"), ("create", "b"), ("push", "b")):
        lading(*words)
        ours = asked(recorder)
        docker(*words)
        assert ours == asked(recorder)


@needs_docker
@pytest.mark.parametrize(
    "line", ["pull --help", "push --help", "login --help", "logout --help", "search --help"]
)
def test_help_is_dockers(line: str, docker: Run, lading: Run) -> None:
    assert alike(lading(*line.split())) == docker(*line.split())


# --- trust


@pytest.mark.parametrize("line", ["pull b", "push b", "create b", "run -d b"])
@pytest.mark.parametrize(("wish", "flag"), [("1", ""), ("", "--disable-content-trust=false")])
def test_signatures_are_not_pretended_to_be_checked(
    line: str, wish: str, flag: str, recorder: Recorder, lading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTENT_TRUST", wish)
    command, *rest = line.split()
    outcome = lading(command, *([flag] if flag else []), *rest)
    assert outcome.code in (1, 125)
    assert "content trust is not supported yet" in outcome.err
    assert recorder.take() == []


@pytest.mark.parametrize("words", [("--disable-content-trust", "b"), (f"b@{DIGEST}",)])
def test_where_no_signature_is_needed(
    words: tuple[str, ...], lading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTENT_TRUST", "1")
    assert lading("pull", *words).code == 0


# --- what a push says beside the progress


@needs_docker
def test_one_manifest_in_place_of_an_index(recorder: Recorder, docker: Run, lading: Run) -> None:
    aux = {
        "manifestPushedInsteadOfIndex": True,
        "originalIndex": {"digest": "sha256:1"},
        "selectedManifest": {"digest": "sha256:2"},
    }
    recorder.answers["POST /images/docker.io/library/b/push"] = messages(*PUSH, {"aux": aux})
    assert alike(lading("push", "b")) == docker("push", "b")


def test_content_that_is_missing(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /images/docker.io/library/b/push"] = messages(
        PUSH[0], {"aux": {"contentMissing": True}}, FAILURE
    )
    outcome = lading("push", "b")
    assert (outcome.code, outcome.err) == (1, "it broke\n")
    assert "push a single one with --platform" in outcome.out


# --- on a terminal


def screen(command: list[str], width: int = 80, height: int = 24) -> tuple[int, str]:
    """Exit code and all that was written to a terminal of this size."""
    session = pexpect.spawn(command[0], command[1:], timeout=20, dimensions=(height, width), encoding="utf-8")
    session.expect(pexpect.EOF)
    session.close()
    return session.exitstatus, session.before.replace("docker", "lading")


@needs_docker
@pytest.mark.parametrize(
    "line", ["pull b", "push b", "push --platform linux/amd64 b", "create --pull always b"]
)
@pytest.mark.parametrize("width", [80, 111, 200])
def test_a_terminal_looks_as_with_docker(
    line: str, width: int, recorder: Recorder, program: list[str]
) -> None:
    theirs = screen([str(DOCKER), "-H", recorder.host, *line.split()], width)
    assert screen([*program, *line.split()], width) == theirs


@needs_docker
def test_a_failure_on_a_terminal(recorder: Recorder, program: list[str]) -> None:
    recorder.answers["POST /images/create"] = messages(*PULL[:7], FAILURE)
    theirs = screen([str(DOCKER), "-H", recorder.host, "pull", "b"])
    assert screen([*program, "pull", "b"]) == theirs


def shown(text: str, width: int, height: int) -> list[str]:
    """What a terminal shows after `text`; knows what our progress uses. Scrolls as terminals do."""
    rows, row, column = [" " * width for _ in range(height)], 0, 0
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == "\x1b":
            end = next(place for place in range(position + 1, len(text)) if text[place].isalpha())
            count, command = text[position + 1 : end], text[end]
            position = end + 1
            if command == "A":
                row = max(row - int(count), 0)
            elif command == "B":
                row = min(row + int(count), height - 1)
            elif command == "K":
                rows[row] = " " * width
        elif letter == "\r":
            column = 0
        else:
            if letter != "\n":
                if column == width:
                    row, column = row + 1, 0
                    rows[row - 1 : row - 1] = []
                if row < height:
                    rows[row] = rows[row][:column] + letter + rows[row][column + 1 :]
                column += 1
            else:
                row += 1
            if row == height:
                rows, row = [*rows[1:], " " * width], height - 1
    return [line.rstrip() for line in rows]


def _many_layers(count: int) -> Iterator[dict[str, Any]]:
    names = [f"{number:012x}" for number in range(count)]
    yield from (_step(name, "Pulling fs layer") for name in names)
    yield from (_step(name, "Downloading", current=5, total=10) for name in names)
    yield from (_step(name, "Pull complete") for name in reversed(names))


@pytest.mark.parametrize(("layers", "height"), [(3, 24), (9, 10), (60, 10)])
def test_more_layers_than_lines(layers: int, height: int, recorder: Recorder, program: list[str]) -> None:
    recorder.answers["POST /images/create"] = messages(*_many_layers(layers))
    code, text = screen([*program, "pull", "-q", "b"], height=height)
    assert (code, text) == (0, "lading.io/library/b:latest\r\n")
    _, text = screen([*program, "pull", "b"], height=height)
    seen = [line for line in shown(text, 80, height) if line]
    rows = [f"{number:012x}: Pull complete" for number in range(layers)]
    visible = min(layers, height - 2)
    assert seen[-1] == "lading.io/library/b:latest"
    assert seen[-1 - visible : -1] == rows[-visible:]


def test_a_narrow_terminal_keeps_one_line_for_each_layer(recorder: Recorder, program: list[str]) -> None:
    recorder.answers["POST /images/create"] = messages(*_many_layers(4))
    _, text = screen([*program, "pull", "b"], width=20, height=24)
    seen = [line for line in shown(text, 20, 24) if line]
    assert seen[-6:-2] == [f"{number:012x}: Pull c" for number in range(4)]


def test_a_terminal_that_grows(recorder: Recorder, program: list[str]) -> None:
    has_grown = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield json.dumps(_step("a", "Downloading", current=1, total=2)).encode() + b"\n"
        has_grown.wait(20)
        yield json.dumps(_step("a", "Downloading", current=2, total=2)).encode() + b"\n"

    recorder.answers["POST /images/create"] = Answer(pieces=pieces)
    session = pexpect.spawn(program[0], [*program[1:], "pull", "b"], timeout=20, dimensions=(24, 80))
    session.expect_exact("a: Downloading       1B/2B")
    session.setwinsize(24, 150)
    has_grown.set()
    session.expect_exact("a: Downloading [" + "=" * 50 + ">]       2B/2B")
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0


@pytest.mark.parametrize(
    ("detail", "width", "text"),
    [
        ({}, 200, ""),
        ({"current": 0, "total": 0}, 200, ""),
        ({"current": 1500}, 80, "   1.5kB"),
        ({"current": 3, "units": "s"}, 80, "3 s"),
        ({"current": 5, "total": 10}, 110, "      5B/10B"),
        ({"current": 5, "total": 10}, 111, f"[{'=' * 25}>{' ' * 25}]       5B/10B"),
        ({"current": 20, "total": 10}, 111, f"[{'=' * 50}>]      20B"),
        ({"current": 5, "total": 10, "hidecounts": True}, 111, f"[{'=' * 25}>{' ' * 25}] "),
    ],
)
def test_how_far_something_is(detail: dict[str, Any], width: int, text: str) -> None:
    assert bar(detail, width) == text


@pytest.mark.parametrize("words", [("pull", "b"), ("create", "--pull", "always", "b")])
def test_an_interrupt(words: tuple[str, ...], recorder: Recorder, program: list[str]) -> None:
    over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield json.dumps(_step("a", "Downloading", current=1, total=2)).encode() + b"\n"
        over.wait(20)

    recorder.answers["POST /images/create"] = Answer(pieces=pieces)
    session = pexpect.spawn(program[0], [*program[1:], *words], timeout=20, encoding="utf-8")
    session.expect_exact("1B/2B")
    session.sendintr()
    session.expect(pexpect.EOF)
    session.close()
    over.set()
    assert session.exitstatus == 130
    assert session.before.strip("\r\x1b[1B") == "^C"


# --- completion


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("pull ", "busybox", "x:1"),
        ("push bu", "busybox:latest", "x:1"),
        ("image push ", "busybox", "x:1"),
        ("pull --", "--all-tags", "--disable"),
        ("push --platform linux/arm", "linux/arm64", "linux/amd64"),
        ("search -f is-", "is-official=", "stars="),
        ("search -f is-official=", "is-official=true", "stars="),
    ],
)
def test_completion(
    line: str, some: str, none: str, recorder: Recorder, lading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Shells hand on what was written, and we are started without anything before it.
    monkeypatch.setenv("DOCKER_HOST", recorder.host)
    recorder.answers["GET /images/json"] = as_json([{"RepoTags": ["busybox:latest"]}])
    offered = [shown.partition("\t")[0] for shown in lading("__complete", *line.split(" ")).out.splitlines()]
    assert some in offered
    assert none not in offered


# --- who one is


def test_a_refusal_without_a_terminal_does_not_wait_for_an_answer(
    recorder: Recorder, program: list[str]
) -> None:
    recorder.answers["POST /images/create"] = refusal(401, "unauthorized: authentication required")
    done = subprocess.run(
        [*program, "pull", "x:1/b"], stdin=subprocess.PIPE, capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert done.stderr == b"Error response from daemon: unauthorized: authentication required\n"


def test_a_refusal_on_a_terminal_asks_who_one_is(recorder: Recorder, program: list[str]) -> None:
    def create(call: Call) -> Answer:
        return messages(*PULL) if len(recorder.calls) > 2 else refusal(401, "who are you?")

    recorder.answers["POST /images/create"] = create
    session = pexpect.spawn(program[0], [*program[1:], "pull", "x:1/b"], timeout=20, encoding="utf-8")
    session.expect_exact("Login prior to pull:")
    session.expect_exact("Username: ")
    session.sendline("me")
    session.expect_exact("Password: ")
    session.sendline("secret")
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0
    assert "secret" not in session.before
    headers = [call.headers["x-registry-auth"] for call in recorder.take()]
    assert headers[0] != headers[1]
