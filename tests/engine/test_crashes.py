"""Ends that fall together with the end of the engine's own processes, or with a full disk."""

import os
import signal
import subprocess
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
    filler = small_disk / "filler"
    answers: list[object] = []
    waiting = threading.Thread(
        target=lambda: answers.append(engine.api("POST", f"/containers/{container}/wait"))
    )
    waiting.start()
    # dd ends where the disk does.
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False, capture_output=True)
    subprocess.run(["mv", f"/proc/{pid}/root/go.is.coming", f"/proc/{pid}/root/go"], check=True)
    waiting.join(15)
    assert answers == [(200, {"StatusCode": 5})]
    assert engine.api("GET", "/_ping")[0] == 200
    filler.unlink()
    wait_for(lambda: engine.api("POST", f"/containers/{container}/start")[0] == 204)
    engine.kill()
    engine.start()
    assert engine.get(f"/containers/{container}/json")["State"]["Status"] in ("running", "exited")
