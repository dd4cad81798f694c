"""`lading system`: what takes room, removing what nothing uses, and the check of what is stored."""

import json
import posix
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Answer, Recorder, as_json, refusal

Run = Callable[..., Outcome]

NOW = int(time.time())
MEGABYTE = 1_000_000
_PRUNES = ("containers", "networks", "volumes", "images", "build")


def _usage() -> dict[str, Any]:
    images = [
        {"Id": "sha256:" + "cd" * 32, "RepoTags": ["busybox:latest", "b:1"], "Size": 13 * MEGABYTE},
        {"Id": "sha256:" + "ab" * 32, "RepoTags": [], "Size": 77 * MEGABYTE},
        {"Id": "sha256:" + "ee" * 32, "RepoTags": ["localhost:5000/a/b:x"], "Size": 5},
    ]
    for number, image in enumerate(images):
        image |= {"Created": NOW - 8100, "SharedSize": number * 2, "Containers": int(number == 0)}
    container = {
        "Id": "ab" * 32,
        "Names": ["/web"],
        "Image": "busybox:latest",
        "ImageID": "sha256:" + "cd" * 32,
        "Command": "sh -c 'echo hello; sleep 100000'",
        "Created": NOW - 210,
        "Ports": [],
        "Labels": {"a": "<b>"},
        "State": "running",
        "Status": "Up 3 minutes",
        "NetworkSettings": {"Networks": {"bridge": {}}},
        "Mounts": [{"Type": "volume", "Name": "v", "Driver": "local", "Destination": "/x"}],
        "SizeRw": 12345,
        "SizeRootFs": 5000000,
    }
    stopped = {
        **container,
        "Id": "12" * 32,
        "State": "exited",
        "Status": "Exited (0) 2 days ago",
        "SizeRw": 50,
    }
    volume = {
        "Driver": "local",
        "Mountpoint": "/v",
        "Labels": {"a": "<b>"},
        "Scope": "local",
        "Options": None,
    }
    cached = {"Type": "regular", "Description": "x", "CreatedAt": "2026-11-01T00:00:00.5Z", "UsageCount": 3}
    return {
        "LayersSize": 90 * MEGABYTE,
        "Images": images,
        "Containers": [container, stopped],
        "Volumes": [
            {**volume, "Name": "v", "UsageData": {"Size": 12345678, "RefCount": 1}},
            {**volume, "Name": "w" * 64, "UsageData": {"Size": 1000, "RefCount": 0}},
            {**volume, "Name": "u", "UsageData": {"Size": -1, "RefCount": -1}},
        ],
        "BuildCache": [
            {
                **cached,
                "ID": "a" * 25,
                "InUse": False,
                "Shared": False,
                "Size": 5 * MEGABYTE,
                "LastUsedAt": "2026-11-02T00:00:00Z",
            },
            {**cached, "ID": "b" * 25, "InUse": True, "Shared": True, "Size": 5, "LastUsedAt": None},
            {**cached, "ID": "c" * 25, "InUse": True, "Shared": False, "Size": 700, "LastUsedAt": None},
        ],
    }


@pytest.fixture(autouse=True)
def _script(recorder: Recorder) -> None:
    answers = recorder.answers
    answers["GET /system/df"] = as_json(_usage())
    answers["POST /images/prune"] = as_json({"ImagesDeleted": [{"Untagged": "a:b"}], "SpaceReclaimed": 12345})
    answers["POST /containers/prune"] = as_json({"ContainersDeleted": ["a", "b"], "SpaceReclaimed": 1})
    answers["POST /networks/prune"] = as_json({"NetworksDeleted": ["n"]})
    answers["POST /volumes/prune"] = as_json({"VolumesDeleted": ["v"], "SpaceReclaimed": 4})
    answers["POST /build/prune"] = as_json({"CachesDeleted": ["c"], "SpaceReclaimed": 10**9})


LINES = r"""
system df
system df -v
system df --format json
system df --format '{{.Type}} {{.Size}}'
system df --format 'table {{.Type}}\t{{.Reclaimable}}'
system df --format '{{.Foo'
system df -v --format json
system df -v --format '{{range .Images}}{{.Repository}} {{.ID}}{{end}} {{json .Volumes}}'
system df -v --format '{{json .BuildCache}}'
system df -v --format '{{.Foo'
system df x
system prune
system prune -a
system prune --volumes
system prune -f
system prune -af --volumes
system prune --filter until=1h --filter label=x --filter 'label!=a'
system prune -f --filter until=1h --filter label=x
system prune --volumes --filter until=1h
system prune --filter x
system foo
""".strip().splitlines()


@needs_docker
@pytest.mark.parametrize("line", LINES)
def test_same_as_docker(line: str, alike: Callable[[str], None]) -> None:
    alike(line)


def test_nothing_at_all_takes_no_room(recorder: Recorder, lading: Run) -> None:
    recorder.answers["GET /system/df"] = as_json({"LayersSize": 0, "Images": None, "Containers": None})
    assert lading("system", "df", "--format", "{{.TotalCount}} {{.Reclaimable}}").out == "0 0B\n" * 4


@pytest.mark.parametrize(("missing", "code"), [("build", 0), ("networks", 1)])
def test_what_an_engine_cannot_prune_is_said(
    missing: str, code: int, recorder: Recorder, lading: Run
) -> None:
    recorder.answers[f"POST /{missing}/prune"] = refusal(404, "page not found")
    outcome = lading("system", "prune", "-f", "--volumes")
    assert outcome.code == code
    name = "build cache" if missing == "build" else missing
    assert outcome.err == f"WARNING: this engine cannot prune {name}: page not found\n"
    assert "Total reclaimed space:" in outcome.out
    assert len(recorder.take()) == len(_PRUNES)


def test_filters_of_the_settings(
    recorder: Recorder, lading: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hold for all that is pruned, but where the command line says the contrary."""
    settings = {"pruneFilters": ["label=keep", "label!=a", "label=c", "until=24h", "nothing"]}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    monkeypatch.setitem(posix.environ, b"DOCKER_CONFIG", bytes(tmp_path))
    assert lading("system", "prune", "-f", "--filter", "label!=c").code == 0
    asked = [json.loads(call.query["filters"][0]) for call in recorder.take()]
    assert len(asked) == len(_PRUNES) - 1
    for filters in asked:
        filters.pop("dangling", None)
        assert filters == {
            "label": {"keep": True},
            "label!": {"a": True, "c": True},
            "until": {"24h": True},
        }


def test_prune_that_is_not_wanted_removes_nothing(recorder: Recorder, program: list[str]) -> None:
    done = subprocess.run(
        [*program, "system", "prune"], input=b"no\n", capture_output=True, timeout=20, check=True
    )
    assert done.stdout.endswith(b"Are you sure you want to continue? [y/N] ")
    assert recorder.take() == []


# --- check

_PROGRESS = {"status": "Verifying", "id": "sha256:ab", "progressDetail": {"current": 1, "total": 2}}
_FINDING = {"Kind": "blob", "Subject": "sha256:ab", "Problem": "size is 3, not 5", "Repaired": False}


def _checked(*findings: dict[str, Any]) -> Answer:
    report = {"Checked": {"Blobs": 3, "Layers": 2, "Images": 1}, "Findings": list(findings) or None}
    lines = [_PROGRESS, {"aux": report}]
    return Answer(200, b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def test_check_of_what_is_whole(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /lading/system/check"] = _checked()
    outcome = lading("system", "check")
    assert outcome.code == 0
    assert outcome.out == "Checked 1 images, 2 layers, 3 blobs.\nEverything is whole.\n"
    assert recorder.take()[-1].query == {}


def test_check_that_finds_something(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /lading/system/check"] = _checked(_FINDING, {**_FINDING, "Repaired": True})
    outcome = lading("system", "check", "--deep")
    assert outcome.code == 1
    assert outcome.out.splitlines()[1:] == [
        "blob sha256:ab: size is 3, not 5",
        "blob sha256:ab: size is 3, not 5 (repaired)",
    ]
    assert "--repair" in outcome.err
    assert recorder.take()[-1].query == {"deep": ["1"]}


def test_what_cannot_be_repaired_is_not_promised_to_be(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /lading/system/check"] = _checked({**_FINDING, "Repairable": False})
    outcome = lading("system", "check")
    assert (outcome.code, outcome.err.count("\n"), "--repair" in outcome.err) == (1, 0, False)


def test_check_that_repairs_all(recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /lading/system/check"] = _checked({**_FINDING, "Repaired": True})
    outcome = lading("system", "check", "--repair", "--format", "json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["Findings"][0]["Repaired"] is True
    assert recorder.take()[-1].query == {"repair": ["1"]}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refusal(404, "page not found"), "this engine cannot check itself: page not found\n"),
        (refusal(500, "disk on fire"), "Error response from daemon: disk on fire\n"),
        (Answer(200, b'{"errorDetail":{"message":"boom"},"error":"boom"}\n'), "boom\n"),
        (Answer(200, b""), "the engine ended its check without a report\n"),
    ],
)
def test_check_that_fails(answer: Answer, message: str, recorder: Recorder, lading: Run) -> None:
    recorder.answers["POST /lading/system/check"] = answer
    assert lading("system", "check") == Outcome(1, "", message)
