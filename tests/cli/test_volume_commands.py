"""Commands about volumes look exactly as docker's do, and ask the engine for the same."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import DOCKER, Outcome, needs_docker
from tests.cli.recorder import Answer, Recorder, as_json, refusal

from lading.cli.completing import goal
from lading.cli.dispatch import GLOBAL_FLAGS

Run = Callable[..., Outcome]


def _volume(name: str, **more: Any) -> dict[str, Any]:
    return {
        "CreatedAt": "2026-01-02T03:04:05Z",
        "Driver": "local",
        "Labels": None,
        "Mountpoint": f"/srv/volumes/{name}/_data",
        "Name": name,
        "Options": None,
        "Scope": "local",
        **more,
    }


@pytest.fixture(autouse=True)
def _script(recorder: Recorder) -> None:
    answers = recorder.answers
    data = _volume("data", Labels={"a": "1"}, Options={"type": "tmpfs"})
    volumes = [_volume("vol10"), _volume("vol2"), data, _volume("ab" * 32)]
    answers["GET /volumes"] = as_json({"Volumes": volumes, "Warnings": None})
    answers["GET /volumes/data"] = as_json(data)
    answers["GET /volumes/nope"] = refusal(404, "get nope: no such volume")
    answers["POST /volumes/create"] = as_json(_volume("made"), 201)
    answers["DELETE /volumes/data"] = Answer(204)
    answers["DELETE /volumes/used"] = refusal(409, "remove used: volume is in use - [abc]")
    answers["DELETE /volumes/nope"] = refusal(404, "get nope: no such volume")
    answers["POST /volumes/prune"] = as_json({"VolumesDeleted": ["one", "two"], "SpaceReclaimed": 12345})


LINES = r"""
volume create
volume create data
volume create --name data
volume create --name data other
volume create -d local -o type=tmpfs --opt device=tmpfs -o o=size=1m --label a=b --label c data
volume create --label a=1 --label a=2 -o x data
volume create --type mount --group g --scope multi --sharing all data
volume create --availability pause --limit-bytes 1g --required-bytes 1m data
volume create --secret b=2 --secret a=1 --type other data
volume create --topology-required a=b,c=d --topology-required e --topology-preferred x=y data
volume create --limit-bytes x data
volume ls
volume list
volume ls -q
volume ls --format json
volume ls --format '{{.Name}}|{{.Driver}}|{{.Scope}}|{{.Mountpoint}}|{{.Labels}}|{{.Label "a"}}'
volume ls --format '{{.Links}} {{.Size}} {{.Group}} {{.Availability}} {{.Status}}'
volume ls --format 'table {{.Name}}\t{{.Labels}}\t{{.Label "a"}}\t{{.Mountpoint}}'
volume ls --format raw
volume ls -q --format raw
volume ls -q --format table
volume ls -q --format '{{.Driver}}'
volume ls --cluster
volume ls --cluster -q
volume ls -f dangling=true -f label=a --filter label=b=1
volume ls -f x
volume inspect data
volume inspect data nope
volume inspect -f '{{.Mountpoint}} {{.Options.type}}' data
volume inspect --format json data
volume inspect
inspect --type volume data
volume rm data
volume rm data used nope
volume remove -f nope data
volume rm
volume prune -f
volume prune -af
volume prune -f --filter label=a --filter label!=b
volume prune -a --filter all=true
volume prune
volume prune -a
volume update data
volume update --availability drain nope
volume ls -z
""".strip().splitlines()


@needs_docker
@pytest.mark.parametrize("line", LINES)
def test_same_as_docker(line: str, alike: Callable[[str], None]) -> None:
    alike(line)


@needs_docker
@pytest.mark.parametrize("name", ["create", "inspect", "ls", "prune", "rm", "update"])
def test_help_as_docker_words_it(name: str, lading: Run) -> None:
    argv = [str(DOCKER), "volume", name, "--help"]
    shown = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    ours = lading("volume", name, "--help")
    assert (ours.code, ours.out.replace("lading", "docker")) == (0, shown)


def test_what_is_completed(recorder: Recorder, lading: Run) -> None:
    assert lading("__complete", "-H", recorder.host, "volume", "rm", "vo").out == "vol10\nvol2\n:4\n"
    assert lading("__complete", "volume", "ls", "-f", "dangling=").out.splitlines()[:-1] == [
        "dangling=false",
        "dangling=true",
    ]
    names = [value for value, _ in goal(["volume", ""], GLOBAL_FLAGS).fixed]
    assert {"create", "inspect", "ls", "prune", "rm", "update"} <= set(names)
