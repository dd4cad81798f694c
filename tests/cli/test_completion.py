"""Completion of command lines: what is offered, and that real shells take it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from tests.cli.recorder import Recorder, as_json

from lading.cli.completing import goal
from lading.cli.dispatch import GLOBAL_FLAGS

_PROGRAMS = Path(sys.executable).parent


def _offered(*words: str) -> list[str]:
    found = goal(words, GLOBAL_FLAGS)
    return [f"{found.prefix}{value}" for value, _ in found.fixed] or [found.kind]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("stop ", "running"),
        ("stop one ", "running"),
        ("container stop -t 5 ", "running"),
        ("start ", "stopped"),
        ("unpause ", "paused"),
        ("rm -f ", "containers"),
        ("-H tcp://x:1 rm ", "containers"),
        ("run ", "images"),
        ("run -it --name x ", "images"),
        ("run -it image ", "files"),
        ("run image ls -", "files"),
        ("exec -e A=b ", "running"),
        ("run --network ", "networks"),
        ("run --network=", "networks"),
        ("run -v ", "files"),
        ("run --name ", ""),
        ("rename one ", ""),
        ("logs one ", ""),
        ("cp ", "places"),
        ("history ", "images"),
        ("image history ", "images"),
        ("save one ", "images"),
        ("image rm one ", "images"),
        ("load -i ", "files"),
        ("image save --output ", "files"),
        ("system prune ", ""),
        ("nonsense ", ""),
        ("container nonsense ", ""),
    ],
)
def test_what_goes_at_the_cursor(line: str, kind: str) -> None:
    assert _offered(*line.split(" ")) == [kind]


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("", "container", "container prune"),
        ("container ", "prune", "container"),
        ("ps --", "--filter", "--detach"),
        ("ps -", "-f", "-d"),
        ("run --", "--memory-swappiness", "--cpu-count"),
        ("run --restart ", "unless-stopped", "sometimes"),
        ("run --restart=", "--restart=on-failure", "on-failure"),
        ("ps -f ", "status=", "dangling="),
        ("ps --filter=status=", "--filter=status=paused", "status=paused"),
        ("kill -s ", "TERM", "SIGNAL"),
        ("image ", "prune", "image"),
        ("system ", "check", "ps"),
        ("image prune --filter ", "until=", "name="),
        ("save --platform ", "linux/arm64", "windows/amd64"),
        ("save --platform=", "--platform=linux/arm/v7", "linux/arm/v7"),
        ("system df -", "-v", "-a"),
        ("--log-level ", "debug", "ps"),
    ],
)
def test_words_that_are_known(line: str, some: str, none: str) -> None:
    offered = _offered(*line.split(" "))
    assert some in offered
    assert none not in offered


@pytest.fixture
def environment(recorder: Recorder, tmp_path: Path) -> dict[str, str]:
    shown = [{"Id": "a", "Names": ["/web"]}, {"Id": "b", "Names": ["/worker"]}]
    recorder.answers["GET /containers/json"] = as_json(shown)
    recorder.answers["GET /images/json"] = as_json([{"RepoTags": ["busybox:latest", "host:5000/x:1"]}])
    return {
        **os.environ,
        "DOCKER_HOST": recorder.host,
        "HOME": str(tmp_path),
        "PATH": f"{_PROGRAMS}:{os.environ['PATH']}",
    }


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("lading unp", ["unpause"]),
        ("lading stop w", ["web", "worker"]),
        ("lading stop web wo", ["worker"]),
        ("lading ps --fil", ["--filter"]),
        ("lading run --restart=on", ["on-failure"]),
        ("lading run host:5000/", ["5000/x:1"]),
        ("lading cp we", ["web:"]),
        ("lading container pru", ["prune"]),
        ("lading image sav", ["save"]),
        ("lading history busy", ["busybox", "busybox:latest"]),
        ("lading manifest in", ["inspect"]),
        ("lading system d", ["df"]),
        ("lading system prune --v", ["--volumes"]),
    ],
)
def test_bash(environment: dict[str, str], line: str, replies: list[str]) -> None:
    script = (
        "source <(lading completion bash); COMP_LINE=$1 COMP_POINT=${#1};"
        " compopt() { :; }; _lading; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", line], env=environment, capture_output=True, check=True
    )
    assert (done.stdout.decode().split(), done.stderr) == (replies, b"")


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish(environment: dict[str, str]) -> None:
    def offered(line: str) -> list[str]:
        script = "lading completion fish | source; complete -C $argv[1]"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script, line], env=environment, capture_output=True, check=True
        )
        assert done.stderr == b""
        return [shown.split("\t")[0] for shown in done.stdout.decode().splitlines()]

    assert offered("lading unp") == ["unpause"]
    assert offered("lading stop w") == ["web", "worker"]
    assert offered("lading stop ") == ["web", "worker"]
    assert offered("lading ps --fil") == ["--filter"]
    assert offered("lading image rm busy") == ["busybox", "busybox:latest"]
    assert offered("lading system ch") == ["check"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh(environment: dict[str, str]) -> None:
    shell = pexpect.spawn(
        "zsh", ["-f", "-i"], env={**environment, "PS1": "READY> ", "TERM": "dumb"}, timeout=20
    )
    try:
        shell.sendline("autoload -U compinit; compinit -u -D; source <(lading completion zsh); echo lo''aded")
        shell.expect("\nloaded")
        for line, made in (
            ("unp\t", "unpause"),
            ("stop wor\t", "stop worker"),
            ("ps --fil\t", "ps --filter"),
            ("image hist\t", "image history"),
            ("manifest anno\t", "manifest annotate"),
            ("cp we\t", r"cp we\x07?b:"),
        ):
            shell.send(f"lading {line}")
            shell.expect(made)
            shell.sendcontrol("u")
    finally:
        shell.close(force=True)


def test_no_engine_is_no_trouble(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    done = subprocess.run(
        [_PROGRAMS / "lading", "__complete", "stop", ""], env=environment, capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b":4\n", b"")
