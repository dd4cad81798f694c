"""Our commands about images on our engine, beside docker's on the same."""

import json
import os
import re
import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import needs_docker
from tests.engine.engine import IMAGE, Engine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine needs root")


@pytest.fixture
def child(engine: Engine) -> Iterator[str]:
    """An image made of the starter image, with a layer of its own and two names."""
    engine.lading("run", "--name", "maker", IMAGE, "sh", "-c", "echo hello > /made")
    engine.lading("commit", "-m", "made here", "maker", "child:1")
    engine.lading("rm", "maker")
    engine.lading("image", "tag", "child:1", "localhost:5000/child:two")
    yield "child:1"
    engine.lading("rmi", "-f", "child:1", "localhost:5000/child:two", check=False)


LINES = f"""
images
image ls --digests
images -q --no-trunc
images child
images -f since={IMAGE}
history child:1
history --no-trunc --human=false child:1
history -q child:1
history --platform linux/arm64 child:1
history nope
image inspect child:1
image inspect --platform linux/arm64 child:1
image inspect -f '{{{{.Os}}}} {{{{len .RootFS.Layers}}}}' child:1 nope
system df
system df -v
system df --format json
save nope
rmi nope
rmi -f nope
rmi --platform linux/arm64 child:1
""".strip().splitlines()


@needs_docker
def test_same_as_docker(engine: Engine, child: str) -> None:
    for line in LINES:
        theirs = engine.docker(*shlex.split(line), check=False)
        ours = engine.lading(*shlex.split(line), check=False)
        assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr), line
        # Docker prints the names of an image in the order of a mapping.
        assert sorted(_ageless(ours.stdout)) == sorted(_ageless(theirs.stdout)), line


def _ageless(shown: bytes) -> list[bytes]:
    """Lines without what changes from one second to the next, and the room it takes."""
    text = re.sub(rb"(\d+ seconds?|Less than a second|About a minute) ago", b"now", shown)
    return re.sub(rb" +", b" ", text).splitlines()


def test_there_and_back_again(engine: Engine, child: str, tmp_path: Path) -> None:
    path = tmp_path / "out.tar"
    before = json.loads(engine.lading("image", "inspect", child).stdout)
    engine.lading("save", "-o", str(path), child, IMAGE)
    with tarfile.open(path) as archive:
        entries = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert sorted(entry["RepoTags"][0] for entry in entries) == [child, f"{IMAGE}:latest"]
    removed = engine.lading("rmi", "-f", child, "localhost:5000/child:two").stdout.decode()
    assert f"Deleted: {before[0]['Id']}" in removed
    loaded = engine.lading("load", "-q", "-i", str(path)).stdout.decode().splitlines()
    assert f"Loaded image: {child}" in loaded
    after = json.loads(engine.lading("image", "inspect", child).stdout)
    assert (after[0]["Id"], after[0]["RootFS"]) == (before[0]["Id"], before[0]["RootFS"])
    # What goes through a pipe is the same archive.
    assert engine.lading("load", input=engine.lading("image", "save", child).stdout).returncode == 0


def test_the_tree(engine: Engine, child: str) -> None:
    engine.lading("create", "--name", "user", child)
    shown = engine.lading("images", "--tree").stdout.decode().splitlines()
    start = next(number for number, line in enumerate(shown) if line.startswith("child:1"))
    assert re.search(r"MB +U +$", shown[start])
    assert shown[start + 1].startswith("└─ linux/")
    assert shown[start + 2].startswith("   ├─ ")
    assert shown[start + 3].startswith("   └─ sh -c echo hello > /ma")


def test_import_with_changes(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(tmp_path / "file", "file")
    words = ("import", "-c", "ENV A=b", "-m", "by hand", str(tmp_path / "in.tar"), "imported:1")
    identifier = engine.lading(*words).stdout.decode().strip()
    try:
        found = json.loads(engine.lading("image", "inspect", "imported:1").stdout)[0]
        assert (found["Id"], found["Config"]["Env"], found["Comment"]) == (identifier, ["A=b"], "by hand")
        assert b"by hand" in engine.lading("history", "imported:1").stdout
    finally:
        engine.lading("rmi", "imported:1")


def test_prune(engine: Engine, child: str) -> None:
    engine.lading("run", "--name", "maker", IMAGE, "sh", "-c", "echo other > /made")
    # The new image takes the name, and the old one has none any more.
    engine.lading("rmi", "localhost:5000/child:two")
    old = json.loads(engine.lading("image", "inspect", child).stdout)[0]["Id"]
    engine.lading("commit", "maker", child)
    pruned = engine.lading("image", "prune", "-f").stdout.decode()
    assert pruned.startswith("Deleted Images:\n")
    assert f"deleted: {old}\n" in pruned
    assert re.search(r"^Total reclaimed space: \d", pruned, re.MULTILINE)
    done = engine.lading("system", "prune", "-f", "--volumes")
    assert b"Deleted Containers:\n" in done.stdout
    assert engine.lading("ps", "-aq").stdout == b""


def test_check(engine: Engine, child: str) -> None:
    done = engine.lading("system", "check", "--deep")
    assert done.stdout.decode().endswith("Everything is whole.\n")
    report = json.loads(engine.lading("system", "check", "--format", "json").stdout)
    assert report["Findings"] == []
    assert report["Checked"]["Images"] >= 2
