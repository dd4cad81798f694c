"""Steering and measuring containers looks exactly as docker's command line does."""

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Answer, Recorder, as_json, refusal

Run = Callable[..., Outcome]

ID = "ab" * 32


def _sample(**more: Any) -> dict[str, Any]:
    return {
        "name": "/web",
        "id": ID,
        "cpu_stats": {
            "cpu_usage": {"total_usage": 3_000_000},
            "system_cpu_usage": 90_000_000,
            "online_cpus": 4,
        },
        "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000}, "system_cpu_usage": 30_000_000},
        "memory_stats": {
            "usage": 5_500_000,
            "limit": 2_147_483_648,
            "stats": {"total_inactive_file": 1_234_567, "inactive_file": 7},
        },
        "networks": {
            "eth0": {"rx_bytes": 123_456, "tx_bytes": 7_890_123},
            "eth1": {"rx_bytes": 1, "tx_bytes": 2},
        },
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 8, "minor": 0, "op": "Read", "value": 4096},
                {"major": 8, "minor": 0, "op": "write", "value": 1_500_000},
                {"major": 8, "minor": 0, "op": "Total", "value": 1_504_096},
            ]
        },
        "pids_stats": {"current": 12},
        **more,
    }


@pytest.fixture(autouse=True)
def _script(recorder: Recorder) -> None:
    answers = recorder.answers
    nope = refusal(404, "No such container: nope")
    answers["GET /containers/json"] = as_json([{"Id": ID, "Names": ["/web"], "State": "running"}])
    for name in (ID[:12], "web"):
        answers[f"GET /containers/{name}/stats"] = as_json(_sample())
    answers["GET /containers/idle/stats"] = as_json({"name": "/idle", "id": "cd" * 32})
    answers["GET /containers/busy/stats"] = as_json(
        _sample(memory_stats={"usage": 999, "limit": 1000, "stats": {"inactive_file": 99}}, networks=None)
    )
    answers["GET /containers/nope/stats"] = nope
    answers["GET /containers/web/top"] = as_json(
        {
            "Titles": ["UID", "PID", "A RATHER LONG TITLE", "CMD"],
            "Processes": [["root", "1", "x", "sleep 100"], ["a-user-with-a-name-of-its-own", "2", "", "sh"]],
        }
    )
    answers["GET /containers/nope/top"] = nope
    for deed in ("pause", "unpause"):
        answers[f"POST /containers/web/{deed}"] = Answer(204)
        answers[f"POST /containers/nope/{deed}"] = nope
    answers["POST /containers/web/update"] = as_json({"Warnings": ["Take care", "Twice"]})
    answers["POST /containers/idle/update"] = as_json({"Warnings": None})
    answers["POST /containers/nope/update"] = nope
    answers["POST /commit"] = as_json({"Id": "sha256:" + "ef" * 32}, 201)
    answers["POST /containers/prune"] = as_json(
        {"ContainersDeleted": [ID, "cd" * 32], "SpaceReclaimed": 123_456_789}
    )


LINES = r"""
pause web
pause nope web
unpause web
container unpause nope
top web
top web -eo pid,comm
top nope
container top web aux
update web
update --memory 64m web
update -m 1g --memory-swap -1 --memory-reservation 10m -c 5 --cpus 1.5 --pids-limit -1 web idle
update --cpu-period 1000 --cpu-quota 2000 --cpuset-cpus 0-1 --cpuset-mems 0 --blkio-weight 300 idle
update --cpu-rt-period 1000 --cpu-rt-runtime 20 --restart on-failure:4 idle
update --restart always nope idle
update --restart :3 idle
update --restart on-failure:x idle
container update --restart no web
stats --no-stream
stats --no-stream -a
stats --no-stream web
stats --no-stream web idle busy
stats --no-stream --no-trunc idle
stats --no-stream --format json web
stats --no-stream --format '{{.Container}} {{.ID}} {{.CPUPerc}}' web
stats --no-stream --format 'table {{.Name}}\t{{.MemPerc}}\t{{.PIDs}}' web busy
stats --no-stream nope
stats --no-stream nope web
stats nope
container stats --no-stream web
container prune
container prune -f
container prune --force --filter label=a=b --filter until=10m --filter label!=c
container prune -f x
container prune --filter a
commit web
commit web mine/image:1
commit web mine/image
commit -a me -m 'a message' -c 'CMD ["x"]' -c 'ENV a=b' -p=false web registry.example:5000/x:2
commit --pause web busybox
commit web Bad/Name
commit web a@sha256:0000000000000000000000000000000000000000000000000000000000000000
commit
commit a b c
container commit web
""".strip().splitlines()


@needs_docker
@pytest.mark.parametrize("line", LINES)
def test_same_as_docker(line: str, recorder: Recorder, docker: Run, lading: Run) -> None:
    words = shlex.split(line)
    theirs, asked = docker(*words), _asked(recorder)
    ours = lading(*words)
    assert _asked(recorder) == asked
    assert (ours.code, ours.out, ours.err) == (theirs.code, theirs.out, theirs.err)


def _asked(recorder: Recorder) -> list[Any]:
    """The requests, in an order of their own; of a body what is set in it.

    docker asks for events even where it looks once only.
    """
    passed_over = ("/info", "/events")
    calls = [call for call in recorder.take() if call.path not in passed_over and "plugins" not in call.path]
    return sorted(
        (call.method, call.version, call.path, str(sorted(call.query.items())), _set(call.json))
        for call in calls
    )


def _set(body: Any) -> str:
    return str(sorted((key, str(value)) for key, value in (body or {}).items() if value))
