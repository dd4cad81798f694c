"""`lading cp` does what `docker cp` does: the same files, the same words, the same exit code."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import needs_docker
from tests.engine.engine import IMAGE, Engine

pytestmark = [needs_docker, pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")]

Result = tuple[int, str, list[str]]

# It tells of its own pipes when a copy is refused.
_DOCKERS_LOG = "time="

OUT = (
    *(
        "c1:/d .",
        "c1:/d/ .",
        "c1:/d/. .",
        "c1:/d new",
        "c1:/d/. new",
        "c1:/d new/",
        "c1:/d dir",
        "c1:/d/. dir",
    ),
    *(
        "c1:/d file",
        "c1:/d/f file",
        "c1:/d/f none/",
        "c1:/d/f none/x",
        "c1:/d/f dir/y",
        "c1:/lnk .",
        "-L c1:/lnk .",
    ),
    *("-L c1:/dl .", "c1:/dl/ .", "c1:/dl/. .", "-L c1:/dl q", "c1:d/f .", "c1:/d to-dir", "c1:/d/f to-none"),
    *(
        "c1:/d d-taken",
        "c1:/d/f/x .",
        "none:/x .",
        "c1: .",
        "c1:/x c1:/d",
        "a b",
        "c1:/d /dev/null",
        "c1:/no /no/no/x",
    ),
)
IN = (
    *(
        "s c1:/in",
        "s/ c1:/in",
        "s/. c1:/in",
        "s c1:/in/new",
        "s/. c1:/in/new",
        "s c1:/in/new/",
        "s/a c1:/in/file",
    ),
    *("s/a c1:/in", "s/a c1:/in/n", "s/a c1:/in/n/", "s/a c1:/in/n/m", "s/a c1:/in/ld", "s/a c1:/in/lf"),
    *(
        "s/a c1:/in/dangling",
        "ls c1:/in",
        "-L ls c1:/in",
        "ls/ c1:/in",
        "ls/. c1:/in",
        "la c1:/in",
        "-L la c1:/in",
    ),
    *(
        "-L la c1:/in/z",
        "none c1:/in",
        "s/a c1:/in/dir/../k",
        "-a s c1:/in",
        "s c1:/none/deep/x",
        "s/a/x c1:/in",
    ),
    *("s/a none:/in", "s/a c1:/in/dir", "s/sub c1:/in/file-in-the-way", "./s/a c1:in"),
)


@pytest.fixture(scope="module")
def filled(shared_engine: Engine) -> Iterator[Engine]:
    """A container with files to copy."""
    script = (
        "mkdir -p /d/sub; echo hi >/d/f; ln /d/f /d/g; ln -s /d/f /lnk; ln -s d /dl; touch /ready; sleep 1000"
    )
    shared_engine.docker("run", "-d", "--name", "c1", IMAGE, "sh", "-c", script)
    shared_engine.docker("exec", "c1", "sh", "-c", "until [ -e /ready ]; do sleep 0.01; done")
    yield shared_engine
    shared_engine.remove_containers()


def _both(
    engine: Engine, words: str, prepare: Callable[[], None], look: Callable[[], list[str]]
) -> list[Result]:
    results = []
    for run in (engine.docker, engine.lading):
        prepare()
        done = run("cp", *words.split(), check=False)
        said = [line for line in done.stderr.decode().splitlines() if not line.startswith(_DOCKERS_LOG)]
        results.append((done.returncode, "\n".join(said).replace("lading", "docker"), look()))
    return results


@pytest.mark.parametrize("words", OUT)
def test_out(filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    work = tmp_path / "w"
    work.mkdir()
    monkeypatch.chdir(work)

    def prepare() -> None:
        for path in work.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name in ("dir", "real"):
            (work / name).mkdir()
        if words.endswith("d-taken"):
            (work / "d-taken" / "d" / "f").mkdir(parents=True)
        (work / "file").write_text("old")
        (work / "to-dir").symlink_to("real")
        (work / "to-none").symlink_to("gone")

    def look() -> list[str]:
        return sorted(_shown(path, work) for path in work.rglob("*"))

    docker, lading = _both(filled, words, prepare, look)
    assert lading == docker


def _shown(path: Path, top: Path) -> str:
    found = path.lstat()
    link = os.readlink(path) if path.is_symlink() else ""
    content = path.read_text() if path.is_file() and not path.is_symlink() else ""
    kind = (oct(found.st_mode), 0 if path.is_dir() else found.st_nlink, found.st_uid, found.st_gid)
    return f"{path.relative_to(top)} {kind} {link} {content}"


@pytest.mark.parametrize("words", IN)
def test_in(filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    source = tmp_path / "s"
    (source / "sub").mkdir(parents=True)
    (source / "a").write_text("A")
    (source / "sub" / "b").write_text("B")
    (source / "l").symlink_to("a")
    os.link(source / "a", source / "h")
    os.chown(source / "sub" / "b", 5, 6)
    os.chmod(source / "a", 0o4755)
    (tmp_path / "ls").symlink_to("s")
    (tmp_path / "la").symlink_to("s/a")
    monkeypatch.chdir(tmp_path)

    def prepare() -> None:
        script = (
            "rm -rf /in; mkdir -p /in/dir; echo o >/in/file; ln -s dir /in/ld; ln -s file /in/lf;"
            "ln -s nowhere /in/dangling; touch /in/file-in-the-way"
        )
        filled.docker("exec", "c1", "sh", "-c", script)

    def look() -> list[str]:
        script = (
            "cd /in; find . | sort | xargs stat -c '%n %N %F %a %u %g %h %s'; cat file dir/* nowhere; true"
        )
        return filled.docker("exec", "c1", "sh", "-c", script).stdout.decode().splitlines()

    docker, lading = _both(filled, words, prepare, look)
    assert lading == docker
