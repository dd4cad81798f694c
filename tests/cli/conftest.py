"""A recording engine, and the command line pointed at it."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.recorder import Recorder

from lading.cli import main

DOCKER = shutil.which("docker")
MEASURE = "Docker version 28."
"""Whose words ours are compared with, byte for byte; each major version words something anew."""


def _docker_version() -> str:
    if DOCKER is None:
        return "none"
    return subprocess.run([DOCKER, "--version"], capture_output=True, text=True, check=False).stdout.strip()


needs_docker = pytest.mark.skipif(
    not (_found := _docker_version()).startswith(MEASURE),
    reason=f"{MEASURE} is compared with; here is {_found}",
)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's directory of settings: there is nothing in it, whatever the machine's user has."""
    directory = tmp_path / "settings"
    for name in ("LADING_CONFIG", "DOCKER_CONTENT_TRUST", "DOCKER_DEFAULT_PLATFORM", "DOCKER_AUTH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))
    return directory


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    engine = Recorder(tmp_path)
    yield engine
    engine.close()


@pytest.fixture
def lading(recorder: Recorder, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs `lading` in this process against the recorder."""

    def run(*words: str) -> Outcome:
        code = main(["-H", recorder.host, *words])
        said = capfd.readouterr()
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture
def docker(recorder: Recorder) -> Callable[..., Outcome]:
    """Runs the real `docker` against the recorder; its own name is replaced by ours in what it says."""

    def run(*words: str) -> Outcome:
        done = subprocess.run(
            [str(DOCKER), "-H", recorder.host, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
        out, err = (data.decode().replace("docker", "lading") for data in (done.stdout, done.stderr))
        return Outcome(done.returncode, out, err)

    return run


@pytest.fixture
def alike(
    recorder: Recorder, docker: Callable[..., Outcome], lading: Callable[..., Outcome]
) -> Callable[[str], None]:
    """Asserts of a command line that both programs ask the same, say the same and end alike."""

    def compare(line: str) -> None:
        words = shlex.split(line)
        theirs, asked = docker(*words), _asked(recorder)
        ours = lading(*words)
        assert _asked(recorder) == asked
        assert ours == theirs

    return compare


def _asked(recorder: Recorder) -> list[Any]:
    """The requests, without the two that docker makes about swarm and plugins."""
    calls = [call for call in recorder.take() if call.path != "/info" and "plugins" not in call.path]
    return [
        (
            call.method,
            call.version,
            call.path,
            sorted(call.query.items()),
            call.json if call.body.startswith(b"{") else call.body,
        )
        for call in calls
    ]


@pytest.fixture
def program(recorder: Recorder) -> list[str]:
    """The argument list of `lading` as a process of its own, against the recorder."""
    return [sys.executable, "-m", "lading.cli", "-H", recorder.host]
