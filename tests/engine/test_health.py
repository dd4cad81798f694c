"""Health checks as docker's users know them: their states, their log, their end."""

import contextlib
import io
import json
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.engine.engine import IMAGE, Engine, since_cli, wait_for

IDLE = ("sleep", "1000")


def _run(engine: Engine, *flags: str) -> str:
    """A container that idles, checked every 100 ms unless told otherwise."""
    words = ("--health-interval=100ms", *flags, IMAGE, *IDLE)
    return engine.docker("run", "-d", *words).stdout.decode().strip()


def _health(engine: Engine, container: str) -> dict[str, Any]:
    shown: dict[str, Any] = engine.get(f"/containers/{container}/json")["State"]["Health"]
    return shown


def _becomes(engine: Engine, container: str, status: str) -> dict[str, Any]:
    wait_for(lambda: _health(engine, container)["Status"] == status)
    return _health(engine, container)


def _processes(engine: Engine, container: str) -> str:
    """The command lines of all processes in a container's PID namespace."""
    pid = engine.get(f"/containers/{container}/json")["State"]["Pid"]
    ours = os.readlink(f"/proc/{pid}/ns/pid")
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{name}/ns/pid") == ours:
                found.append(Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    return "\n".join(found)


def _shown(engine: Engine, container: str) -> str:
    return engine.docker("ps", "-a", f"-fid={container}", "--format={{.Status}}").stdout.decode().strip()


def test_a_container_becomes_healthy_unhealthy_and_healthy_again(engine: Engine) -> None:
    container = _run(engine, "--health-cmd=echo looking; test -e /well", "--health-retries=2")
    assert _shown(engine, container).endswith("(health: starting)")
    shown = _becomes(engine, container, "unhealthy")
    assert shown["FailingStreak"] >= 2
    assert {(one["ExitCode"], one["Output"]) for one in shown["Log"]} == {(1, "looking\n")}
    assert _shown(engine, container).endswith("(unhealthy)")
    engine.docker("exec", container, "touch", "/well")
    shown = _becomes(engine, container, "healthy")
    assert (shown["FailingStreak"], shown["Log"][-1]["ExitCode"]) == (0, 0)
    assert _shown(engine, container).endswith("(healthy)")
    for status, found in (("healthy", True), ("unhealthy", False), ("none", False)):
        listed = engine.docker("ps", "-q", "--no-trunc", f"--filter=health={status}").stdout.decode()
        assert (container in listed) is found
    assert engine.get(f"/containers/{container}/json")["ExecIDs"] is None


def test_events_tell_of_every_change_and_nothing_more(engine: Engine) -> None:
    since = time.time()
    container = _run(engine, "--health-cmd=true", "--label=who=me")
    _becomes(engine, container, "healthy")
    wait_for(lambda: len(_health(engine, container)["Log"]) >= 3)
    told = engine.docker(
        "events", f"--since={since}", f"--until={time.time()}", "--filter=event=health_status",
        f"--filter=container={container}", "--format={{json .}}",
    ).stdout.splitlines()  # fmt: skip
    assert len(told) == 1
    event = json.loads(told[0])
    assert event["Action"] == "health_status: healthy"
    name = engine.get(f"/containers/{container}/json")["Name"].removeprefix("/")
    labels = engine.get(f"/containers/{container}/json")["Config"]["Labels"]
    assert event["Actor"]["Attributes"] == {"image": IMAGE, "name": name, **labels}


def test_only_five_results_and_4096_bytes_of_output_are_kept(engine: Engine) -> None:
    container = _run(engine, "--health-cmd=head -c 300000 /dev/zero | tr '\\0' x")
    wait_for(lambda: len(_health(engine, container)["Log"]) == 5)
    first = _health(engine, container)["Log"][0]
    wait_for(lambda: first not in _health(engine, container)["Log"])
    log = _health(engine, container)["Log"]
    assert len(log) == 5
    assert [one["Start"] for one in log] == sorted(one["Start"] for one in log)
    assert {one["Output"] for one in log} == {"x" * 4096 + "..."}


def test_a_check_that_takes_too_long_is_killed_with_its_children(engine: Engine) -> None:
    container = _run(engine, "--health-cmd=echo here; sleep 987 & sleep 986", "--health-timeout=300ms")
    log = wait_for(lambda: _health(engine, container)["Log"])
    assert log[0]["ExitCode"] == -1
    assert log[0]["Output"] == "Health check exceeded timeout (300ms): here\n"
    engine.docker("pause", container)
    wait_for(lambda: "sleep 98" not in _processes(engine, container))


def test_what_cannot_be_run_is_a_failure_with_its_reason(engine: Engine) -> None:
    _, made = engine.create(
        Cmd=IDLE, Healthcheck={"Test": ["CMD", "/no/such/program"], "Interval": 100_000_000, "Retries": 1}
    )
    engine.api("POST", f"/containers/{made['Id']}/start")
    log = _becomes(engine, made["Id"], "unhealthy")["Log"]
    assert log[0]["ExitCode"] == -1
    assert "no such file or directory" in log[0]["Output"]


@since_cli(25)
def test_failures_in_the_start_period_do_not_count(engine: Engine) -> None:
    container = _run(
        engine, "--health-cmd=test -e /well", "--health-retries=1", "--health-interval=1h",
        "--health-start-period=1h", "--health-start-interval=50ms",
    )  # fmt: skip
    wait_for(lambda: len(_health(engine, container)["Log"]) >= 3)
    assert (_health(engine, container)["Status"], _health(engine, container)["FailingStreak"]) == (
        "starting",
        0,
    )
    engine.docker("exec", container, "touch", "/well")
    _becomes(engine, container, "healthy")


def _checked_image(engine: Engine) -> None:
    """An image "checked": the starter's programs with a HEALTHCHECK."""
    pid = engine.get(f"/containers/{_run(engine)}/json")["State"]["Pid"]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(f"/proc/{pid}/root/bin", "bin")
    change = 'HEALTHCHECK --interval=200ms --retries=7 CMD ["true"]'
    engine.docker("import", "--change", change, "-", "checked", input=packed.getvalue())


def test_image_checks_are_inherited_changed_and_refused(engine: Engine) -> None:
    _checked_image(engine)
    inherited = engine.docker("run", "-d", "checked", *IDLE).stdout.decode().strip()
    assert _becomes(engine, inherited, "healthy")["Log"]
    changed = engine.docker("run", "-d", "--health-interval=1h", "checked", *IDLE).stdout.decode().strip()
    config = engine.get(f"/containers/{changed}/json")["Config"]["Healthcheck"]
    assert config == {"Test": ["CMD", "true"], "Interval": 3600 * 10**9, "Retries": 7}
    refused = engine.docker("run", "-d", "--no-healthcheck", "checked", *IDLE).stdout.decode().strip()
    shown = engine.get(f"/containers/{refused}/json")
    assert shown["Config"]["Healthcheck"]["Test"] == ["NONE"]
    assert "Health" not in shown["State"]


def test_pause_and_stop_end_the_checks_and_a_start_begins_anew(engine: Engine) -> None:
    container = _run(engine, "--health-cmd=true")
    _becomes(engine, container, "healthy")
    engine.docker("pause", container)
    paused = _health(engine, container)
    assert paused["Status"] == "unhealthy"
    time.sleep(0.3)
    assert _health(engine, container) == paused
    engine.docker("unpause", container)
    _becomes(engine, container, "healthy")
    engine.docker("stop", "-t0", container)
    stopped = _health(engine, container)
    assert stopped["Status"] == "unhealthy"
    engine.docker("start", container)
    _becomes(engine, container, "healthy")
    assert _health(engine, container)["Log"] != stopped["Log"]
    created = engine.docker("create", "--health-cmd=true", IMAGE, *IDLE).stdout.decode().strip()
    assert "Health" not in engine.get(f"/containers/{created}/json")["State"]


@pytest.mark.parametrize("kill", [True, False])
def test_checks_go_on_after_the_engine_was_away(new_engine: Callable[..., Engine], kill: bool) -> None:
    engine = new_engine()
    container = _run(engine, "--health-cmd=test ! -e /ill", "--health-retries=1")
    slow = _run(engine, "--health-cmd=sleep 1001", "--health-retries=1")
    wait_for(lambda: "sleep 1001" in _processes(engine, slow))
    before = _becomes(engine, container, "healthy")
    if kill:
        engine.kill()
    else:
        engine.stop()
    engine.start()
    after = _health(engine, container)
    assert after["Status"] == "healthy"
    assert before["Log"][-1] in after["Log"]
    wait_for(lambda: _health(engine, container)["Log"][-1] not in before["Log"])
    engine.docker("exec", container, "touch", "/ill")
    _becomes(engine, container, "unhealthy")
    # The check that was under way was ended; the one that followed is all there is.
    wait_for(lambda: _processes(engine, slow).count("sleep 1001") == 1)
    assert "level=error" not in (engine.directory / "log").read_text()


def test_the_keepers_death_makes_nobody_ill(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    made = [
        _run(engine, "--health-cmd=true", "--health-interval=20ms", "--health-retries=1") for _ in range(3)
    ]
    for container in made:
        _becomes(engine, container, "healthy")
    for _ in range(5):
        os.kill(engine.keeper_pid(), signal.SIGKILL)
        before = [_health(engine, container)["Log"] for container in made]
        for container, log in zip(made, before, strict=True):
            wait_for(lambda key=container, last=log[-1]: last not in _health(engine, key)["Log"])
    events = json.dumps({"event": ["health_status"]})
    _, told = engine.api("GET", f"/events?since=1&until={time.time():.9f}&filters={quote(events)}")
    assert [json.loads(line)["Action"] for line in told.splitlines()] == ["health_status: healthy"] * 3


def test_checks_go_on_while_the_disk_is_full(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    try:
        engine = new_engine(f"--data-root={disk}/data")
        container = _run(engine, "--health-cmd=test ! -e /dev/shm/ill", "--health-retries=1")
        _becomes(engine, container, "healthy")
        # dd ends where the disk does.
        subprocess.run(["dd", "if=/dev/zero", f"of={disk}/filler", "bs=4k"], check=False, capture_output=True)
        pid = engine.get(f"/containers/{container}/json")["State"]["Pid"]
        Path(f"/proc/{pid}/root/dev/shm/ill").touch()
        seen = _becomes(engine, container, "unhealthy")["Log"][-1]
        (disk / "filler").unlink()
        wait_for(lambda: seen not in _health(engine, container)["Log"])
        engine.kill()
        engine.start()
        assert _health(engine, container)["Status"] == "unhealthy"
        assert "Traceback" not in (engine.directory / "log").read_text()
        engine.destroy()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
