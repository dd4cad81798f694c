"""Commands about images look exactly as docker's do, and ask the engine for the same."""

import os
import posix
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.cli.conftest import DOCKER, Outcome, needs_docker
from tests.cli.recorder import Answer, Recorder, as_json, refusal

Run = Callable[..., Outcome]

NOW = int(time.time())
TAR = b"an archive, as it were"


def _manifest(platform: dict[str, str], used: bool = False, available: bool = True) -> dict[str, Any]:
    return {
        "ID": "sha256:" + "cc" * 32,
        "Kind": "image",
        "Available": available,
        "Size": {"Total": 5_000_000, "Content": 1_234_567},
        "Descriptor": {},
        "ImageData": {"Platform": platform, "Containers": ["x"] if used else [], "Size": {"Unpacked": 1}},
    }


def _images() -> list[dict[str, Any]]:
    common = {"ParentId": "", "SharedSize": -1, "Labels": None, "Containers": -1, "Manifests": []}
    attestation = {
        "ID": "sha256:" + "dd" * 32,
        "Kind": "attestation",
        "Available": True,
        "Size": {"Total": 3, "Content": 2},
        "Descriptor": {},
        "AttestationData": {"For": "sha256:" + "cc" * 32},
    }
    several = [
        _manifest({"architecture": "amd64", "os": "linux"}, used=True),
        _manifest({"architecture": "arm", "os": "linux", "variant": "v7"}, available=False),
        attestation,
    ]
    return [
        {
            **common,
            "Id": "sha256:" + "cd" * 32,
            "RepoTags": ["busybox:latest", "localhost:5000/b:1", "b:2"],
            "Created": NOW - 8100,
            "Size": 4261550,
            "Manifests": several,
        },
        {
            **common,
            "Id": "sha256:" + "ab" * 32,
            "RepoTags": None,
            "RepoDigests": ["foo/bar@sha256:" + "88" * 32],
            "Created": NOW - 9000,
            "Size": 1234567890,
            "Containers": 2,
        },
        {
            **common,
            "Id": "sha256:" + "ee" * 32,
            "RepoTags": ["long" * 12 + ":x"],
            "Created": NOW - 150,
            "Size": 0,
        },
    ]


_HISTORY = [
    {
        "Id": "sha256:" + "cd" * 32,
        "Created": NOW - 210,
        "CreatedBy": '/bin/sh -c #(nop)  CMD ["sh"]\tand more of it, and still more',
        "Tags": ["a:b"],
        "Size": 0,
        "Comment": "a comment",
    },
    {"Id": "<missing>", "Created": 0, "CreatedBy": "", "Tags": None, "Size": 4261550, "Comment": ""},
]


@pytest.fixture(autouse=True)
def _script(recorder: Recorder) -> None:
    answers = recorder.answers
    answers["GET /images/json"] = as_json(_images())
    answers["GET /images/busybox/history"] = as_json(_HISTORY)
    answers["GET /images/nope/history"] = refusal(404, "No such image: nope:latest")
    answers["GET /images/busybox/json"] = as_json({"Id": "sha256:x", "Os": "linux"})
    answers["GET /images/nope/json"] = refusal(404, "No such image: nope:latest")
    answers["GET /images/get"] = Answer(200, TAR, {"Content-Type": "application/x-tar"})
    answers["DELETE /images/busybox"] = as_json([{"Untagged": "busybox:latest"}, {"Deleted": "sha256:x"}])
    loaded = b'{"stream":"Loaded image: x:latest\\n"}\n'
    answers["POST /images/load"] = Answer(200, loaded, {"Content-Type": "application/json"})
    answers["POST /images/create"] = Answer(200, b'{"status":"sha256:abc"}\n')
    pruned = {"ImagesDeleted": [{"Untagged": "a:b"}, {"Deleted": "sha256:x"}], "SpaceReclaimed": 12345}
    answers["POST /images/prune"] = as_json(pruned)


LINES = r"""
history busybox
history busybox -q --no-trunc
history --human=false busybox
history -H=false --no-trunc busybox
history --format '{{.ID}}|{{.CreatedAt}}|{{.CreatedSince}}|{{.CreatedBy}}|{{.Size}}|{{.Comment}}' busybox
history --format json busybox
history --format 'table {{.ID}}\t{{.Size}}' busybox
history nope
history
history --platform linux/arm64/v8 busybox
history --platform linux/arm/7 busybox
history --platform armhf busybox
history --platform ARM64 busybox
history --platform linux busybox
history --platform linux/amd64/v1 busybox
history --platform 'windows(10.0.1)/amd64' busybox
history --platform x/y/z/a busybox
history --platform 'a b' busybox
history --platform linux/ busybox
history --platform foo busybox
image history x y
image history -z
save busybox
save -o /nonexistent/x busybox
save -o /tmp busybox
save -o /dev/null busybox
save --platform linux/arm64 busybox other
save --platform a/b/c/d busybox
save
image save
load --platform linux/arm64
load --platform x
image load -q
import - x
import --platform Linux/arm64 - x:y
import -c 'CMD x' -c 'ENV a=b' -m hello http://localhost/x a:b
import ftp://localhost/x a:b
rmi --platform linux/arm64,linux/amd64 --platform linux/arm/v7 busybox
rmi --platform x busybox
image rm
image rm busybox
image remove -f --no-prune busybox
image inspect --platform linux/amd64 busybox
image inspect --platform x busybox
image inspect -f '{{.Id}}' busybox nope
image inspect
images --tree -q
images --tree --digests
images --tree --no-trunc
image ls --tree --format x
image ls -a -f dangling=true -f label=a=b foo
image ls -f foo
image ls -z
image tag x
image prune -f
image prune -af --filter until=1h --filter label=x
image prune
image prune x
image prune --filter x
image foo
""".strip().splitlines()


@needs_docker
@pytest.mark.parametrize("line", LINES)
def test_same_as_docker(line: str, alike: Callable[[str], None]) -> None:
    alike(line)


HELP = (
    *("history", "image history", "save", "image save", "load", "import", "rmi", "image rm", "images"),
    *("image ls", "image inspect", "image prune", "tag", "image tag", "system df", "system prune"),
    *("system events", "system info"),
)


@needs_docker
@pytest.mark.parametrize("name", HELP)
def test_help_as_docker_words_it(name: str, lading: Run) -> None:
    argv = [str(DOCKER), *name.split(), "--help"]
    shown = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    ours = lading(*name.split(), "--help")
    assert (ours.code, ours.out.replace("lading", "docker")) == (0, shown)


def test_the_group_names_its_commands(lading: Run) -> None:
    shown = re.findall(r"^  (\w+) ", lading("image", "--help").out, re.MULTILINE)
    wanted = {"history", "import", "inspect", "load", "ls", "prune", "pull", "push", "rm", "save", "tag"}
    assert wanted <= set(shown)


# --- the tree


def test_the_tree_is_plain_where_nobody_looks(lading: Run) -> None:
    lines = lading("images", "--tree").out.splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[4:] == [
        "longlonglonglonglonglonglong…   eeeeeeeeeeee           0B             0B        ",
        "",
        "localhost:5000/b:1",
        "busybox:latest",
        "b:2                             cdcdcdcdcdcd       4.26MB         2.47MB   U    ",
        "├─ linux/amd64                  cccccccccccc          5MB         1.23MB   U    ",
        "└─ linux/arm/v7                 cccccccccccc          5MB         1.23MB        ",
        "",
        "<untagged>                      abababababab       1.23GB             0B   U    ",
        "",
    ]


@needs_docker
@pytest.mark.parametrize("columns", [15, 30, 60, 100, 150])
def test_the_tree_on_a_terminal(columns: int, recorder: Recorder, program: list[str]) -> None:
    theirs = _on_terminal([str(DOCKER), "-H", recorder.host, "images", "--tree"], columns)
    ours = _on_terminal([*program, "images", "--tree"], columns)
    assert ours.splitlines() == theirs.splitlines()
    assert b"\x1b[39m" in ours


def _on_terminal(argv: list[str], columns: int) -> bytes:
    child = pexpect.spawn(argv[0], argv[1:], dimensions=(40, columns), timeout=20)
    try:
        child.expect(pexpect.EOF)
        shown: bytes = child.before
        return shown
    finally:
        child.close(force=True)


@needs_docker
@pytest.mark.parametrize("flags", [(), ("-a",)])
def test_nameless_images_in_the_tree(flags: tuple[str, ...], recorder: Recorder, program: list[str]) -> None:
    common = {"Size": 5, "Containers": -1, "Manifests": []}
    names: list[tuple[Any, Any]] = [
        ([], []),
        (None, None),
        (["<none>:<none>"], ["<none>@<none>"]),
        (["a:b"], []),
    ]
    images = [
        {**common, "Id": f"sha256:{number}", "RepoTags": tags, "RepoDigests": digests, "Created": number}
        for number, (tags, digests) in enumerate(names)
    ]
    recorder.answers["GET /images/json"] = as_json(images)
    theirs = _on_terminal([str(DOCKER), "-H", recorder.host, "images", "--tree", *flags], 100)
    assert _on_terminal([*program, "images", "--tree", *flags], 100) == theirs


def test_the_tree_shows_layers_where_no_manifests_are_listed(recorder: Recorder, lading: Run) -> None:
    identifiers = ["sha256:" + digit * 64 for digit in "ab"]
    recorder.answers["GET /images/json"] = as_json(
        [
            {"Id": identifiers[0], "RepoTags": ["one:1"], "Created": NOW, "Size": 5_000, "Containers": -1},
            {"Id": identifiers[1], "RepoTags": ["gone:1"], "Created": NOW - 9, "Size": 1, "Containers": -1},
        ]
    )
    layers = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]
    described = {"Os": "linux", "Architecture": "arm", "Variant": "v7", "RootFS": {"Layers": layers}}
    steps = [
        {"CreatedBy": "RUN a \t command longer than there is room for", "Size": 2000},
        {"CreatedBy": "CMD x", "Size": 0},
        {"CreatedBy": "ADD base", "Size": 3000},
    ]
    recorder.answers[f"GET /images/{identifiers[0]}/json"] = as_json(described)
    recorder.answers[f"GET /images/{identifiers[0]}/history"] = as_json(steps)
    recorder.answers["GET /containers/json"] = as_json([{"ImageID": identifiers[0]}])
    assert [line.rstrip() for line in lading("images", "--tree").out.splitlines()[4:]] == [
        "one:1                           aaaaaaaaaaaa          5kB                  U",
        "└─ linux/arm/v7                 aaaaaaaaaaaa          5kB                  U",
        "   ├─ ADD base                  111111111111          3kB",
        "   └─ RUN a command longer t…   222222222222          2kB",
        "",
        "gone:1                          bbbbbbbbbbbb           1B             0B",
        "",
    ]


# --- archives


def test_save_will_not_fill_a_terminal_with_an_archive(recorder: Recorder, program: list[str]) -> None:
    said = _on_terminal([*program, "save", "busybox"], 120)
    assert said == b"cowardly refusing to save to a terminal. Use the -o flag or redirect\r\n"
    assert recorder.take() == []


def test_save_writes_a_file_others_cannot_read(recorder: Recorder, lading: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.tar"
    assert lading("save", "-o", str(path), "busybox", "b:2") == Outcome(0, "", "")
    assert path.read_bytes() == TAR
    assert path.stat().st_mode & 0o777 == 0o600
    assert recorder.take()[-1].query == {"names": ["busybox", "b:2"]}


def test_a_save_that_fails_leaves_what_was_there(recorder: Recorder, lading: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.tar"
    path.write_bytes(b"yesterday's")
    recorder.answers["GET /images/get"] = refusal(404, "No such image: nope:latest")
    outcome = lading("save", "-o", str(path), "nope")
    assert outcome == Outcome(1, "", "Error response from daemon: No such image: nope:latest\n")

    def pieces() -> Iterator[bytes]:
        yield TAR
        raise ConnectionResetError

    recorder.answers["GET /images/get"] = Answer(pieces=pieces)
    assert lading("save", "-o", str(path), "busybox").code == 1
    assert path.read_bytes() == b"yesterday's"
    assert [file.name for file in tmp_path.iterdir() if "lading_temp" in file.name] == []


def test_a_save_that_is_killed_leaves_nothing(recorder: Recorder, program: list[str], tmp_path: Path) -> None:
    begun, over = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        yield TAR
        begun.set()
        over.wait(20)

    recorder.answers["GET /images/get"] = Answer(pieces=pieces)
    place = tmp_path / "place"
    place.mkdir()
    child = subprocess.Popen([*program, "save", "-o", str(place / "out.tar"), "busybox"])
    try:
        assert begun.wait(20)
    finally:
        child.kill()
        child.wait()
        over.set()
    assert list(place.iterdir()) == []


def test_save_where_files_need_names(lading: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that knows no O_TMPFILE."""
    monkeypatch.setattr(os, "O_TMPFILE", 0)
    path = tmp_path / "out.tar"
    assert lading("save", "-o", str(path), "busybox").code == 0
    assert path.read_bytes() == TAR
    assert [file.name for file in tmp_path.iterdir() if "lading_temp" in file.name] == []


@pytest.mark.parametrize("command", [("load", "-i"), ("import",)])
def test_an_archive_goes_to_the_engine_whole(
    command: tuple[str, ...], recorder: Recorder, lading: Run, tmp_path: Path
) -> None:
    path = tmp_path / "in.tar"
    data = os.urandom(3_000_000)
    path.write_bytes(data)
    assert lading(*command, str(path)).code == 0
    assert recorder.take()[-1].body == data


def test_import_takes_the_usual_platform_from_the_environment(
    recorder: Recorder, lading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(posix.environ, b"DOCKER_DEFAULT_PLATFORM", b"linux/arm64")
    assert lading("import", "http://localhost/x").code == 0
    assert recorder.take()[-1].query["platform"] == ["linux/arm64"]


def test_what_load_says_is_shown_though_it_is_no_json(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /images/load"] = Answer(200, b"done\n", {"Content-Type": "text/plain"})
    assert lading("load", "-i", "/dev/null") == Outcome(0, "done\n", "")


# --- prune


@pytest.mark.parametrize(("reply", "asked"), [(b"y\n", 1), (b"YES\n", 1), (b"n\n", 0), (b"\n", 0), (b"", 0)])
def test_prune_asks_first(reply: bytes, asked: int, recorder: Recorder, program: list[str]) -> None:
    done = subprocess.run(
        [*program, "image", "prune", "-a"], input=reply, capture_output=True, timeout=20, check=True
    )
    assert done.stdout.startswith(b"WARNING! This will remove all images without at least one container")
    assert (b"Total reclaimed space: 12.35kB" in done.stdout) == bool(asked)
    assert len(recorder.take()) == asked


def test_nothing_to_prune(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /images/prune"] = as_json({"ImagesDeleted": None, "SpaceReclaimed": 0})
    assert lading("image", "prune", "-f") == Outcome(0, "Total reclaimed space: 0B\n", "")


def test_an_older_engine_is_not_asked_for_what_it_does_not_know(recorder: Recorder, lading: Run) -> None:
    recorder.api_version = "1.46"
    outcome = lading("history", "--platform", "linux/amd64", "busybox")
    assert outcome.code == 1
    assert '"--platform" requires API version 1.48' in outcome.err
    assert recorder.take() == []
