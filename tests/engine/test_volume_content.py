"""Copies, archives, snapshots and other names of volumes: beyond docker."""

import io
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine needs root")

_FURNISH = (
    "mkdir -p /d/a/b && echo one > /d/a/one && ln /d/a/one /d/a/b/two && ln -s ../one /d/a/b/link"
    " && mkfifo /d/pipe && chown -R 1000:100 /d/a && chmod 4750 /d/a/one && chmod 1777 /d"
)


@pytest.fixture(autouse=True)
def _clean(engine: Engine) -> Iterator[None]:
    yield
    engine.remove_containers()
    for volume in engine.get("/volumes")["Volumes"]:
        engine.api("DELETE", f"/volumes/{volume['Name']}?force=1")


@pytest.fixture
def data(engine: Engine) -> Path:
    """A volume with all kinds of files; where they are."""
    engine.lading("run", "--rm", "-v", "data:/d", IMAGE, "sh", "-c", _FURNISH)
    place = Path(engine.data_root, "volumes", "data", "_data")
    os.setxattr(place / "a", "user.mark", b"x")
    return place


def _picture(place: Path) -> list[str]:
    """Everything there is to see of a tree."""
    shown = subprocess.run(
        ["find", ".", "-printf", "%P %y %m %U:%G %n %l %T@ %s\n"], cwd=place, capture_output=True, check=True
    )
    return sorted(
        line.partition(".")[0] if " d " in line else line for line in shown.stdout.decode().split("\n")
    )


def _place(engine: Engine, name: str) -> Path:
    return Path(engine.py.volumes.get(name).attrs["Mountpoint"])


def _refused(engine: Engine, *words: str, input: bytes | None = None) -> str:
    done = engine.lading(*words, check=False, input=input)
    assert done.returncode, words
    return done.stderr.decode().strip().removeprefix("Error response from daemon: ")


def _on_disk(engine: Engine) -> set[str]:
    """What is among the volumes, without directories that are ready for others."""
    names = os.listdir(engine.data_root / "volumes")
    return {name for name in names if not name.startswith(".spare-")}


def _sure_that_only(engine: Engine, *names: str) -> None:
    """Volumes on the disk are those that exist, and nothing else is there."""
    wait_for(lambda: _on_disk(engine) == set(names))
    assert sorted(volume["Name"] for volume in engine.get("/volumes")["Volumes"]) == sorted(names)


def test_a_copy_has_everything_of_the_original(engine: Engine, data: Path) -> None:
    assert engine.lading("volume", "copy", "data", "twin").stdout == b"twin\n"
    twin = _place(engine, "twin")
    assert _picture(twin) == _picture(data)
    assert os.getxattr(twin / "a", "user.mark") == b"x"
    (twin / "a" / "one").write_text("changed")
    assert (data / "a" / "one").read_text() == "one\n"
    assert _refused(engine, "volume", "copy", "data", "twin") == (
        "copy data: a volume named twin exists already"
    )
    assert _refused(engine, "volume", "copy", "nope", "x2") == "get nope: no such volume"
    _sure_that_only(engine, "data", "twin")


@pytest.mark.parametrize("name", ["plain.tar", "small.tar.zst"])
def test_there_and_back_again(engine: Engine, data: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    engine.lading("volume", "export", "data", "-o", str(path))
    assert path.read_bytes()[:4] == (b"\x28\xb5\x2f\xfd" if name.endswith("zst") else b"./\0\0")
    assert engine.lading("volume", "import", "back", str(path)).stdout == b"back\n"
    back = _place(engine, "back")
    # An archive has whole seconds.
    assert [line.split(" ")[:5] for line in _picture(back)] == [
        line.split(" ")[:5] for line in _picture(data)
    ]
    assert os.getxattr(back / "a", "user.mark") == b"x"
    with_tar = engine.lading("volume", "export", "data").stdout
    with tarfile.open(fileobj=io.BytesIO(with_tar)) as archive:
        assert "./a/b/link" in archive.getnames()


def test_importing_replaces_files_only_by_force(engine: Engine, data: Path) -> None:
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("new"), io.BytesIO())
    assert "has files already" in _refused(engine, "volume", "import", "data", input=other.getvalue())
    before = _picture(data)
    bad = other.getvalue()[:-20]
    assert _refused(engine, "volume", "import", "--force", "data", input=bad)
    assert _refused(engine, "volume", "import", "fresh", input=b"no archive at all" * 100)
    assert _refused(engine, "volume", "import", "fresh", input=b"") == "the archive is empty"
    assert _picture(data) == before
    engine.lading("volume", "import", "--force", "data", input=other.getvalue())
    assert os.listdir(data) == ["new"]
    _sure_that_only(engine, "data")


def test_no_archive_reaches_out_of_its_volume(engine: Engine, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("link/outside"), io.BytesIO())
        archive.addfile(tarfile.TarInfo(f"../../../../../..{outside}"), io.BytesIO())
    engine.lading("volume", "import", "evil", input=evil.getvalue(), check=False)
    assert not outside.exists()


def test_a_volume_is_taken_back_to_a_snapshot(engine: Engine, data: Path) -> None:
    before = _picture(data)
    assert engine.lading("volume", "snapshot", "data", "monday").stdout == b"monday\n"
    assert engine.lading("volume", "snapshot", "data").stdout == b"monday\n"
    assert "a snapshot named monday exists already" in _refused(
        engine, "volume", "snapshot", "data", "monday"
    )
    engine.lading("run", "--rm", "-v", "data:/d", IMAGE, "rm", "-r", "/d/a")
    assert not (data / "a").exists()
    engine.lading("volume", "restore", "data", "monday")
    assert _picture(data) == before
    engine.lading("volume", "snapshot", "--rm", "data", "monday")
    assert _refused(engine, "volume", "restore", "data", "monday") == "volume data has no snapshot monday"
    assert _refused(engine, "volume", "snapshot", "data", ".x").startswith('"')
    engine.lading("volume", "rm", "data")
    _sure_that_only(engine)


def test_running_containers_are_not_disturbed_but_by_force(engine: Engine, data: Path) -> None:
    engine.lading("volume", "snapshot", "data", "before")
    engine.lading("run", "-d", "--name", "user", "-v", "data:/d", IMAGE, "sleep", "1000")
    for words in (
        ("copy", "data", "twin"),
        ("export", "data"),
        ("snapshot", "data", "now"),
        ("restore", "data", "before"),
        ("rename", "data", "other"),
        ("import", "data", "/dev/null"),
    ):
        assert f"{words[0]} data: volume is in use - [" in _refused(engine, "volume", *words)
    engine.lading("exec", "user", "sh", "-c", "rm -r /d/a; touch /d/extra")
    engine.lading("volume", "restore", "--force", "data", "before")
    assert engine.lading("exec", "user", "cat", "/d/a/one").stdout == b"one\n"
    assert engine.lading("exec", "user", "ls", "/d").stdout == b"a\npipe\n"
    engine.lading("volume", "copy", "--force", "data", "twin")
    assert (_place(engine, "twin") / "a" / "one").exists()


def test_a_renamed_volume_stays_with_its_containers(engine: Engine, data: Path) -> None:
    engine.lading("volume", "create", "taken")
    engine.lading("volume", "snapshot", "data", "kept")
    assert "a volume named taken exists already" in _refused(engine, "volume", "rename", "data", "taken")
    engine.lading("run", "-d", "--name", "one", "-v", "data:/d", IMAGE, "sleep", "1000")
    engine.lading(
        "create", "--name", "two", "--mount", "src=data,dst=/d,volume-subpath=a", IMAGE, "cat", "/d/one"
    )
    engine.lading("volume", "rename", "--force", "data", "better")
    shown = engine.get("/containers/one/json")
    assert shown["HostConfig"]["Binds"] == ["better:/d"]
    assert (shown["Mounts"][0]["Name"], shown["Mounts"][0]["Source"]) == (
        "better",
        str(_place(engine, "better")),
    )
    assert engine.lading("exec", "one", "cat", "/d/a/one").stdout == b"one\n"
    assert engine.lading("start", "-a", "two").stdout == b"one\n"
    engine.lading("restart", "-t", "0", "one")
    assert engine.lading("exec", "one", "cat", "/d/a/one").stdout == b"one\n"
    assert engine.lading("volume", "snapshot", "better").stdout == b"kept\n"
    assert "volume is in use" in _refused(engine, "volume", "rm", "better")
    _sure_that_only(engine, "better", "taken")


def test_kills_leave_nothing_half_done(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine()
    engine.lading("run", "--rm", "-v", "data:/d", IMAGE, "sh", "-c", _FURNISH)
    for number in range(200):
        (engine.data_root / "volumes" / "data" / "_data" / f"file{number}").write_bytes(b"x" * 20_000)
    archive = engine.lading("volume", "export", "data").stdout
    before = _picture(engine.data_root / "volumes" / "data" / "_data")
    deeds: list[tuple[tuple[str, ...], bytes | None]] = [
        (("volume", "copy", "data", "made"), None),
        (("volume", "import", "made"), archive),
        (("volume", "snapshot", "data", "made"), None),
        (("volume", "rename", "data", "renamed"), None),
        (("volume", "create", "made"), None),
        (("volume", "rm", "data"), None),
    ]
    for round_number in range(12):
        words, given = deeds[round_number % len(deeds)]
        engine.lading("volume", "copy", "data", "safe")
        doing = threading.Thread(target=engine.lading, args=words, kwargs={"input": given, "check": False})
        doing.start()
        time.sleep(0.07 + 0.013 * (round_number // len(deeds)) + 0.002 * round_number)
        engine.kill()
        doing.join()
        engine.start()
        names = {volume["Name"] for volume in engine.get("/volumes")["Volumes"]}
        assert "safe" in names
        assert len(names & {"data", "renamed"}) <= 1
        wait_for(lambda names=names: _on_disk(engine) == names)
        for name in names & {"made", "data", "renamed"}:
            whole = _picture(engine.data_root / "volumes" / name / "_data")
            if words[1] == "create" and name == "made":
                assert len(whole) <= 2
            elif words[1] == "import" and name == "made":
                assert len(whole) == len(before)
            else:
                assert whole == before, words
            entries = set(os.listdir(engine.data_root / "volumes" / name))
            assert entries <= {"_data", "snapshots"}
        for name in names - {"safe"}:
            engine.lading("volume", "rm", name)
        engine.lading("volume", "rename", "safe", "data")
    assert engine.lading("volume", "ls", "-q").stdout == b"data\n"
