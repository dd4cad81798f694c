"""Lists, inspections and errors look exactly as docker's do."""

import json
import shlex
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import Outcome, needs_docker
from tests.cli.recorder import Answer, Recorder, as_json, framed, refusal

Run = Callable[..., Outcome]

ID = "ab" * 32


def _containers() -> list[dict[str, Any]]:
    now = int(time.time())
    return [
        {
            "Id": ID,
            "Names": ["/web", "/other/link"],
            "Image": "busybox:latest",
            "ImageID": "sha256:" + "cd" * 32,
            "Command": "sh -c 'echo hello; sleep 100000'",
            "Created": now - 210,
            "Ports": [
                {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
                {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
                {"PrivatePort": 443, "Type": "tcp"},
                {"PrivatePort": 444, "Type": "tcp"},
                {"IP": "0.0.0.0", "PrivatePort": 90, "PublicPort": 90, "Type": "udp"},
                {"IP": "0.0.0.0", "PrivatePort": 91, "PublicPort": 91, "Type": "udp"},
            ],
            "Labels": {"b": "2", "a": "1", "com.x.y-z_q": "w"},
            "State": "running",
            "Status": "Up 3 minutes",
            "NetworkSettings": {"Networks": {"bridge": {}}},
            "Mounts": [
                {"Type": "volume", "Name": "averyverylongvolumename", "Driver": "local", "Destination": "/x"},
                {"Type": "bind", "Source": "/some/long/path/here", "Destination": "/y"},
            ],
            "SizeRw": 12345,
            "SizeRootFs": 5000000,
        },
        {
            "Id": "12" * 32,
            "Names": ["/longer_name_here"],
            "Image": "sha256:" + "ef" * 32,
            "ImageID": "sha256:" + "ef" * 32,
            "Command": "true",
            "Created": now - 100_000,
            "Ports": [],
            "Labels": {},
            "State": "exited",
            "Status": "Exited (0) 2 seconds ago",
            "NetworkSettings": {"Networks": {"none": {}}},
            "Mounts": [],
        },
        {
            "Id": "34" * 32,
            "Names": ["/x"],
            "Image": "a/b:t@sha256:" + "ef" * 32,
            "ImageID": "sha256:" + "aa" * 32,
            "Command": 'say "ümlaut" \t\x01',
            "Created": now - 3_000_000,
            "Ports": [],
            "Labels": None,
            "State": "created",
            "Status": "Created",
            "NetworkSettings": {"Networks": {}},
            "Mounts": [],
        },
    ]


def _images() -> list[dict[str, Any]]:
    now = int(time.time())
    common = {"ParentId": "", "SharedSize": -1, "Labels": None, "Containers": -1}
    return [
        {
            **common,
            "Id": "sha256:" + "cd" * 32,
            "RepoTags": ["busybox:latest", "localhost:5000/b:1"],
            "RepoDigests": ["busybox@sha256:" + "99" * 32],
            "Created": now - 8100,
            "Size": 4261550,
        },
        {
            **common,
            "Id": "sha256:" + "ab" * 32,
            "RepoTags": None,
            "RepoDigests": ["foo/bar@sha256:" + "88" * 32],
            "Created": now - 90_000_000,
            "Size": 1234567890,
            "SharedSize": 5,
            "Containers": 2,
        },
        {**common, "Id": "sha256:" + "ee" * 32, "RepoTags": [], "Created": now - 150, "Size": 0},
    ]


_WEB = {
    "Id": ID,
    "Name": "/web",
    "Created": "2026-11-25T07:31:53.123456789Z",
    "State": {"Status": "running", "Running": True, "Pid": 5, "ExitCode": 0},
    "Config": {"Tty": False, "Env": ["A=1", "B=2"], "Cmd": ["sh"], "Labels": {"a": "1", "b": "2"}},
    "HostConfig": {"AutoRemove": False, "NetworkMode": "bridge"},
    "NetworkSettings": {
        "Ports": {
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
            "443/tcp": None,
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
        },
        "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
    },
}
_EVENTS = [
    {
        "status": "start",
        "id": ID,
        "from": "busybox",
        "Type": "container",
        "Action": "start",
        "Actor": {"ID": ID, "Attributes": {"image": "busybox", "name": "web"}},
        "scope": "local",
        "time": 1700000000,
        "timeNano": 1700000000123456789,
    },
    {
        "Type": "network",
        "Action": "connect",
        "Actor": {"ID": "x", "Attributes": {}},
        "scope": "local",
        "time": 1700000000,
        "timeNano": 1700000000000000000,
    },
]


@pytest.fixture(autouse=True)
def _script(recorder: Recorder) -> None:
    answers = recorder.answers
    answers["GET /containers/json"] = as_json(_containers())
    answers["GET /images/json"] = as_json(_images())
    answers["GET /containers/web/json"] = as_json(_WEB)
    answers["GET /images/busybox/json"] = as_json(
        {"Id": "sha256:x", "Os": "linux", "RepoTags": ["busybox:latest"]}
    )
    answers[f"GET /containers/{ID}/logs"] = Answer(200, framed((1, b"out\n"), (2, b"err\n")))
    answers["GET /events"] = Answer(200, b"".join(json.dumps(event).encode() + b"\n" for event in _EVENTS))
    answers["GET /info"] = as_json({"Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False}})
    answers["POST /containers/web/wait"] = as_json({"StatusCode": 7})
    answers["DELETE /images/busybox"] = as_json([{"Untagged": "busybox:latest"}, {"Deleted": "sha256:x"}])
    answers["POST /images/busybox/tag"] = Answer(201)
    answers["POST /images/load"] = Answer(
        200, b'{"stream":"Loaded image: x:latest\\n"}\n', {"Content-Type": "application/json"}
    )
    answers["POST /images/create"] = Answer(200, b'{"status":"sha256:abc"}\n')
    answers["DELETE /containers/web"] = Answer(204)
    for deed in ("start", "stop", "kill", "restart", "rename"):
        answers[f"POST /containers/web/{deed}"] = Answer(204)
        answers[f"POST /containers/nope/{deed}"] = refusal(404, "No such container: nope")
    answers["POST /containers/nope/wait"] = refusal(404, "No such container: nope")
    answers["GET /containers/nope/json"] = refusal(404, "No such container: nope")
    answers["DELETE /containers/nope"] = refusal(404, "No such container: nope")
    for verb in ("GET", "DELETE"):
        place = "/images/nope/json" if verb == "GET" else "/images/nope"
        answers[f"{verb} {place}"] = refusal(404, "No such image: nope:latest")
    answers["GET /networks/nope"] = refusal(404, "network nope not found")
    answers["GET /volumes/nope"] = refusal(404, "get nope: no such volume")
    answers["GET /plugins/nope/json"] = refusal(404, "plugin nope not found")


LINES = r"""
ps
ps -a
ps -q
ps -aq --no-trunc
ps --no-trunc
ps -s
ps -l
ps -n 2
ps -n 0
ps -f status=exited -f label=a=b -f label=c
ps -f foo
ps --format '{{.ID}} {{.Names}}'
ps --format 'table {{.ID}}\t{{.Names}}\t{{.Labels}}'
ps --format 'table {{.ID}}\t{{.Label "a"}}\t{{.Mounts}}\t{{.LocalVolumes}}\t{{.Networks}}'
ps --format 'table {{upper .ID}}\t{{.Label "com.x.y-z_q"}}'
ps --format json
ps --format '{{json .}}' --no-trunc
ps --format '{{json .Names}}'
ps --format '{{.ID'
ps --format '{{foo}}'
ps --format '{{.Size}}'
ps --format table
ps --format ''
ps --format 'table {{.Image}}' -q
ps -q --format '{{.Names}}'
ps --format '{{.CreatedAt}}|{{.RunningFor}}|{{.State}}|{{.Status}}|{{.Command}}|{{.Ports}}'
ps --format '{{range split .Names ","}}<{{.}}>{{end}}'
ps --format 'x{{if eq .State "running"}}up{{else}}down{{end}}'
ps -z
ps --last
ps x
images
images -a
images -q
images -q --no-trunc
images --digests
images --no-trunc
images foo
images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.CreatedAt}} {{.CreatedSince}}'
images --format 'table {{.ID}}\t{{.Size}}'
images --format '{{.Containers}} {{.SharedSize}} {{.UniqueSize}}'
images -f dangling=true
container ls
container ps -q
container list -q
image ls
image list -q
inspect web
inspect busybox
inspect nope
inspect web nope
inspect -f '{{.Name}}' web
inspect -f '{{.Foo}}' web
inspect -f '{{.State.Foo}}' web
inspect -f '{{.State.Health}}' web
inspect -f '{{if .State.Health}}a{{else}}b{{end}}' web
inspect -f '{{json .Config.Env}}' web
inspect -f '{{range .Config.Env}}{{println .}}{{end}}' web
inspect -f '{{index .Config.Labels "a"}}|{{index .Config.Labels "zz"}}' web
inspect -f '{{range $p, $conf := .NetworkSettings.Ports}}{{$p}}={{len $conf}} {{end}}' web
inspect -f '{{range $k,$v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}' web
inspect -f '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' web
inspect -f '{{.NetworkSettings.Networks.bridge.IPAddress}}' web
inspect -f '{{len .Config.Env}} {{.State.Pid}} {{.State.Running}}' web
inspect -f '{{.Config.Labels}} {{.Config.Env}}' web
inspect -f '{{.Foo' web
inspect -f '{{foo}}' web
inspect --type container nope
container inspect nope
image inspect nope
image inspect -f '{{.Id}} {{.Os}}' busybox
container inspect -f '{{.Id}}' web
start web
start nope
start web nope
start -a web nope
stop web
stop -t 5 -s INT web
stop -t x web
restart -t 0 web
kill web
kill -s HUP nope
wait web
wait web nope
rm web
rm -f nope
rm -fv web
rename web foo
rename '' foo
port web
port web 80
port web 81
port web 53/udp
port web x
port nope
tag busybox foo
tag busybox foo:bar
tag busybox localhost:5000/foo/bar
tag busybox Foo
tag '' x
rmi busybox
rmi -f nope
rmi nope busybox
rmi --no-prune busybox
image rm busybox
logs web
logs -f -t --tail 5 --details web
logs nope
logs --since x web
logs --since 2020-01-01T00:00:00Z --until 2021-01-01T00:00:00 web
logs --since 1577836800 web
load
load -q
load -i /nonexistent
import /nonexistent
import - Foo
events
events --format '{{.Type}} {{.Action}} {{.Actor.ID}}'
events --format json
events -f x
events x
exec nope ls
exec -d nope ls
tag x
rename a
logs
logs a b
""".strip().splitlines()


@needs_docker
@pytest.mark.parametrize("line", LINES)
def test_same_as_docker(line: str, recorder: Recorder, docker: Run, lading: Run) -> None:
    words = shlex.split(line)
    theirs, asked = docker(*words), _asked(recorder)
    ours = lading(*words)
    assert _asked(recorder) == asked
    assert (ours.code, ours.err) == (theirs.code, theirs.err)
    if words[0].startswith("image"):
        # Names of one image come in the order of a mapping from docker.
        assert sorted(ours.out.splitlines()) == sorted(theirs.out.splitlines())
    else:
        assert ours.out == theirs.out


def _asked(recorder: Recorder) -> list[Any]:
    """The requests, without the two that docker makes about swarm and plugins."""
    calls = [call for call in recorder.take() if call.path != "/info" and "plugins" not in call.path]
    return sorted((call.method, call.version, call.path, str(sorted(call.query.items()))) for call in calls)


def test_an_image_without_a_date_has_no_age(recorder: Recorder, lading: Run) -> None:
    image = {**_images()[0], "Created": 0}
    recorder.answers["GET /images/json"] = as_json([image])
    assert "N/A" in lading("images").out


def test_several_containers_are_stopped_at_once(recorder: Recorder, lading: Run) -> None:
    """One that takes its time does not keep the others from being asked."""
    asked: list[str] = []

    def stop(call: Any) -> Answer:
        asked.append(call.path)
        deadline = time.monotonic() + 10
        while len(asked) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        return Answer(204) if len(asked) == 3 else refusal(500, "alone")

    for name in "abc":
        recorder.answers[f"POST /containers/{name}/stop"] = stop
    assert lading("stop", "a", "b", "c") == Outcome(0, "a\nb\nc\n", "")
