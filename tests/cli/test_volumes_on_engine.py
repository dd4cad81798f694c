"""Our commands about volumes on our engine, beside docker's on the same."""

import os
import re
import shlex
from collections.abc import Iterator

import pytest
from tests.cli.conftest import needs_docker
from tests.engine.engine import IMAGE, Engine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine needs root")


@pytest.fixture(autouse=True)
def _furnished(engine: Engine) -> Iterator[None]:
    engine.lading("volume", "create", "--label", "tier=db", "-o", "type=tmpfs", "-o", "device=tmpfs", "data")
    engine.lading("volume", "create", "vol10")
    engine.lading("volume", "create", "vol2")
    engine.lading("create", "--name", "user", "-v", "vol2:/d", IMAGE)
    yield
    engine.remove_containers()
    for volume in engine.get("/volumes")["Volumes"]:
        engine.api("DELETE", f"/volumes/{volume['Name']}?force=1")


LINES = r"""
volume ls
volume ls -q
volume ls --format json
volume ls -f dangling=true
volume ls -f label=tier
volume ls -f name=vol -f driver=local --format '{{.Name}} {{.Mountpoint}}'
volume ls -f nonsense=1
volume inspect data vol10
volume inspect nope data
volume inspect -f '{{json .Options}}' data
inspect vol2
volume create vol2
volume create -d nope other
volume create -o nonsense=1 other
volume create -o type=nfs other
volume create x
volume create --type block other
volume rm vol2
volume rm nope
volume rm -f nope
volume update vol2
volume prune -f --filter label=none
volume prune -f --filter nonsense=1
system df -v --format '{{range .Volumes}}{{.Name}} {{.Links}} {{.Size}};{{end}}'
""".strip().splitlines()


@needs_docker
def test_same_as_docker(engine: Engine) -> None:
    for line in LINES:
        theirs = engine.docker(*shlex.split(line), check=False)
        ours = engine.lading(*shlex.split(line), check=False)
        assert (ours.returncode, ours.stdout, ours.stderr) == (
            theirs.returncode,
            theirs.stdout,
            theirs.stderr,
        ), line


def test_what_is_deleted(engine: Engine) -> None:
    nameless = engine.lading("volume", "create").stdout.decode().strip()
    shown = engine.lading("volume", "prune", "-f").stdout.decode()
    assert shown == f"Deleted Volumes:\n{nameless}\n\nTotal reclaimed space: 0B\n"
    shown = engine.lading("volume", "prune", "-af").stdout.decode()
    assert re.findall(r"^\w+$", shown, re.MULTILINE) == ["data", "vol10"]
    assert engine.lading("volume", "rm", "vol2", check=False).returncode == 1
    engine.lading("rm", "user")
    assert engine.lading("volume", "rm", "vol2").stdout == b"vol2\n"


def test_completion_knows_the_volumes(engine: Engine) -> None:
    shown = engine.lading("__complete", "volume", "copy", "vol").stdout.decode().split()
    assert shown == ["vol10", "vol2", ":4"]
