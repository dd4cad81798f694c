"""Every flag of create reaches the engine as the docker command line sends it.

`create_cases.txt` has one command line per line. Each goes through both
programs to the same recording engine; requests, messages and exit codes must
be the same. What docker 28 gets wrong is tested below on its own.
"""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Recorder, refusal

Run = Callable[..., Outcome]

CASES = Path(__file__).with_name("create_cases.txt").read_text().splitlines()


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/root")
    for name in ("A", "B", "DOCKER_HOST", "DOCKER_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    Path("variables.env").write_text("A=1\n# a comment\nB\nHOME\n  C=2 \nD=a b\n")
    Path("blank.env").write_text("A B=1\n")
    Path("nameless.env").write_bytes(b"\xef\xbb\xbfA=1\n=x\n")
    Path("labels").write_text("l1=1\nl2\n")
    Path("seccomp.json").write_text('{"defaultAction":  "SCMP_ACT_ALLOW"}\n')


def _requests(recorder: Recorder) -> list[Any]:
    requests = []
    for call in recorder.take():
        body = call.json
        # The docker command line walks mappings here, so its order is by chance.
        for where, name in ((body, "Env"), (body["HostConfig"], "Binds")) if body else ():
            if where[name]:
                where[name].sort()
        requests.append((call.method, call.version, call.path, call.query, body))
    return requests


@needs_docker
@pytest.mark.parametrize("line", CASES)
def test_same_as_docker(line: str, recorder: Recorder, docker: Run, lading: Run) -> None:
    words = shlex.split(line)
    theirs = docker("create", *words)
    expected = _requests(recorder)
    ours = lading("create", *words)
    assert _requests(recorder) == expected
    assert ours == theirs


@needs_docker
@pytest.mark.parametrize("version", ["1.24", "1.39", "1.41", "1.43", "1.44", "1.49"])
@pytest.mark.parametrize(
    "line",
    [
        "b",
        "-it -m 5m b",
        "--kernel-memory 5m b",
        "--network foo --network-alias a b",
        "--mount type=bind,src=/a,dst=/b,bind-recursive=writable,ro b",
        "--userns host --runtime x b",
    ],
)
def test_same_as_docker_on_older_engines(
    line: str, version: str, recorder: Recorder, docker: Run, lading: Run
) -> None:
    recorder.api_version = version
    docker("create", *shlex.split(line))
    expected = _requests(recorder)
    assert expected
    lading("create", *shlex.split(line))
    assert _requests(recorder) == expected


@pytest.mark.parametrize(
    ("flag", "version", "needed"),
    [
        ("--annotation=a=b", "1.42", "1.43"),
        ("--cgroupns=host", "1.40", "1.41"),
        ("--health-start-interval=1s", "1.43", "1.44"),
        ("--gpus=all", "1.39", "1.40"),
    ],
)
def test_an_old_engine_is_not_asked_for_what_it_does_not_know(
    flag: str, version: str, needed: str, recorder: Recorder, lading: Run
) -> None:
    recorder.api_version = version
    outcome = lading("create", flag, "b")
    assert outcome.code == 1
    assert f"requires API version {needed}, but the engine's API version is {version}" in outcome.err
    assert recorder.take() == []


def test_a_bind_from_a_name_of_one_letter_is_a_bind(recorder: Recorder, lading: Run) -> None:
    """Docker takes the letter for a Windows drive and mounts nothing there."""
    lading("create", "-v", "v:/b", "b")
    (call,) = recorder.take()
    assert call.json["HostConfig"]["Binds"] == ["v:/b"]
    assert call.json["Volumes"] == {}


def test_variables_and_binds_keep_their_order(recorder: Recorder, lading: Run) -> None:
    lading(
        "create", "--env-file", "variables.env", "-e", "Z=1", "-e", "A=2", "-v", "/z:/z", "-v", "/a:/a", "b"
    )
    (call,) = recorder.take()
    assert call.json["Env"] == ["A=1", "HOME=/root", "C=2 ", "D=a b", "Z=1", "A=2"]
    assert call.json["HostConfig"]["Binds"] == ["/z:/z", "/a:/a"]


def test_flags_for_windows_are_refused(recorder: Recorder, lading: Run) -> None:
    outcome = lading("create", "--cpu-count", "2", "b")
    assert outcome.code != 0
    assert "--cpu-count" in outcome.err
    assert recorder.take() == []


def test_the_id_file_is_written_and_never_overwritten(recorder: Recorder, lading: Run) -> None:
    made = lading("create", "--cidfile", "id", "b")
    assert Path("id").read_text() == made.out.strip()
    again = lading("create", "--cidfile", "id", "b")
    assert again.code == 1
    assert "container ID file found" in again.err


def test_no_id_file_stays_when_the_container_fails(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /containers/create"] = refusal(409, "name taken")
    outcome = lading("create", "--cidfile", "id", "b")
    assert outcome.err == "Error response from daemon: name taken\n"
    assert not Path("id").exists()


def test_every_flag_of_docker_is_known(lading: Run) -> None:
    """The flags of docker 28.2 `run`, as its help lists them."""
    known = json.loads(Path(__file__).with_name("run_flags.json").read_text())
    page = lading("run", "--help").out + "--cpu-count --cpu-percent --io-maxbandwidth --io-maxiops --help"
    assert [flag for flag in known if flag not in page] == []
