"""Ends that fall together with the end of the engine's own processes, or with a full disk."""

import io
import os
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.engine import Engine, wait_for

NewEngine = Callable[..., Engine]


def _run(engine: Engine, script: str, *, auto_remove: bool = False) -> str:
    _, made = engine.create(Cmd=["sh", "-c", script], HostConfig={"AutoRemove": auto_remove})
    assert engine.api("POST", f"/containers/{made['Id']}/start")[0] == 204
    return str(made["Id"])


def test_containers_with_rm_are_gone_though_the_daemon_died_with_them(new_engine: NewEngine) -> None:
    engine = new_engine()
    for pause in (0.01, 0.03):
        pids = [
            engine.get(f"/containers/{_run(engine, 'sleep 1000', auto_remove=True)}/json")["State"]["Pid"]
            for _ in range(4)
        ]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(pause)
        engine.kill()
        engine.start()
        wait_for(lambda: engine.get("/containers/json?all=1") == [])


def test_the_keepers_record_tells_an_exit_code_when_both_are_gone(new_engine: NewEngine) -> None:
    engine = new_engine()
    container = _run(engine, "while ! [ -e /go ]; do sleep 0.05; done; exit 7")
    state = engine.get(f"/containers/{container}/json")["State"]
    engine.kill()
    Path(f"/proc/{state['Pid']}/root/go").touch()
    wait_for(lambda: not Path(f"/proc/{state['Pid']}").exists())
    wait_for((engine.data_root / "containers" / container / "exit.json").exists)
    os.kill(engine.keeper_pid(), signal.SIGKILL)
    engine.start()
    found = engine.get(f"/containers/{container}/json")["State"]
    assert (found["Status"], found["ExitCode"]) == ("exited", 7)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A place of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_an_end_on_a_full_disk_is_told_and_noted_later(new_engine: NewEngine, small_disk: Path) -> None:
    engine = new_engine(f"--data-root={small_disk}/data")
    container = _run(engine, "while ! [ -e /go ]; do sleep 0.05; done; exit 5")
    pid = engine.get(f"/containers/{container}/json")["State"]["Pid"]
    Path(f"/proc/{pid}/root/go.is.coming").touch()
    answers: list[object] = []
    waiting = threading.Thread(
        target=lambda: answers.append(engine.api("POST", f"/containers/{container}/wait"))
    )
    waiting.start()
    _fill(small_disk)
    subprocess.run(["mv", f"/proc/{pid}/root/go.is.coming", f"/proc/{pid}/root/go"], check=True)
    waiting.join(15)
    assert answers == [(200, {"StatusCode": 5})]
    assert engine.api("GET", "/_ping")[0] == 200
    (small_disk / "filler").unlink()
    wait_for(lambda: engine.api("POST", f"/containers/{container}/start")[0] == 204)
    engine.kill()
    engine.start()
    assert engine.get(f"/containers/{container}/json")["State"]["Status"] in ("running", "exited")


def _fill(disk: Path) -> Path:
    """Leaves nothing free; gives what is to be removed afterwards."""
    filler = disk / "filler"
    # dd ends where the disk does.
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False, capture_output=True)
    return filler


def test_wishes_on_a_full_disk_are_refused_and_leave_nothing(new_engine: NewEngine, small_disk: Path) -> None:
    engine = new_engine(f"--data-root={small_disk}/data")
    talker = _run(engine, "i=0; while :; do i=$((i+1)); echo $i; usleep 10000; done")
    writer = _run(engine, "dd if=/dev/zero of=/big bs=1M count=6; sleep 1000")
    wait_for(lambda: b"6+0 records out" in engine.api("GET", f"/containers/{writer}/logs?stderr=1")[1])
    images = engine.get("/images/json?all=1")
    filler = _fill(small_disk)
    refusals = [
        engine.create(Cmd=["true"], HostConfig={"Binds": ["fresh:/bin"]}),
        engine.api("POST", f"/commit?container={writer}&repo=half"),
        engine.send("PUT", f"/containers/{writer}/archive?path=/", _tar_of(4 << 20), "application/x-tar"),
    ]
    for status, answer in refusals:
        assert status == 500, answer
        said = str(answer).lower()
        assert "no space left on device" in said or "disk is full" in said, answer
    assert engine.api("GET", "/_ping")[0] == 200
    for container in (talker, writer):
        assert engine.get(f"/containers/{container}/json")["State"]["Running"]
    filler.unlink()
    engine.kill()
    engine.start()
    assert {entry["Id"] for entry in engine.get("/containers/json?all=1")} == {talker, writer}
    assert [entry["Id"] for entry in engine.get("/images/json?all=1")] == [entry["Id"] for entry in images]
    last = _last_number(engine, talker)
    wait_for(lambda: _last_number(engine, talker) > last)


def _last_number(engine: Engine, container: str) -> int:
    _, raw = engine.api("GET", f"/containers/{container}/logs?stdout=1&tail=1")
    return int(raw[8:])


def _tar_of(size: int) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        entry = tarfile.TarInfo("much")
        entry.size = size
        tar.addfile(entry, io.BytesIO(bytes(size)))
    return output.getvalue()
