"""ladingd itself: beside others, stopped, told to reload, told nonsense."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, docker_cli, wait_for

LADINGD = str(Path(sys.executable).parent / "ladingd")


def _ladingd(*flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([LADINGD, *flags], capture_output=True, text=True, timeout=30, check=False)


def test_several_engines_side_by_side(new_engine: Callable[..., Engine]) -> None:
    first, second = new_engine(), new_engine()
    for engine in (first, second):
        engine.docker("run", "-d", "--name", "same-name", "-p", "80", IMAGE, "sleep", "1000")
        assert len(engine.get("/containers/json")) == 1
    ids = {engine.get("/info")["ID"] for engine in (first, second)}
    assert len(ids) == 2
    assert first.stop() == 0
    second.docker("exec", "same-name", "true")
    first.start()
    first.docker("exec", "same-name", "true")
    second.docker("rm", "-f", "same-name")
    first.docker("exec", "same-name", "true")


def test_a_second_daemon_on_the_same_roots_is_told_why_not(engine: Engine) -> None:
    for flags, named in (
        ((f"--data-root={engine.data_root}", "--exec-root=/run/ldt-other"), "--data-root"),
        (("--data-root=/tmp/ldt-other", f"--exec-root={engine.exec_root}"), "--exec-root"),
    ):
        refused = _ladingd(*flags, "--pidfile=/tmp/ldt-other.pid", "-H", "unix:///tmp/ldt-other.sock")
        assert refused.returncode == 1
        assert "in use by another ladingd" in refused.stderr
        assert named in refused.stderr
        assert f"process {_pid(engine)}" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert engine.get("/_ping") == b"OK"


def _pid(engine: Engine) -> int:
    assert engine.process is not None
    return engine.process.pid


def test_sigterm_ends_the_daemon_and_spares_the_containers(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    assert (engine.directory / "pid").read_text().strip() == str(_pid(engine))
    engine.docker("run", "-d", "--name", "on", IMAGE, "sh", "-c", "sleep 0.5; echo late; sleep 1000")
    engine.docker("run", "-d", "--name", "end", IMAGE, "sh", "-c", "sleep 0.5; exit 9")
    pid = engine.get("/containers/on/json")["State"]["Pid"]
    assert engine.stop() == 0
    assert not (engine.directory / "pid").exists()
    assert not engine.socket.exists()
    wait_for(lambda: b"late" in _log(engine, "on"))
    engine.start()
    assert engine.get("/containers/on/json")["State"]["Pid"] == pid
    assert wait_for(lambda: engine.get("/containers/end/json")["State"]["ExitCode"]) == 9
    assert engine.docker("logs", "on").stdout == b"late\n"


def _log(engine: Engine, name: str) -> bytes:
    for path in engine.data_root.glob("containers/*/*-json.log"):
        if b"late" in (content := path.read_bytes()):
            return content
    return b""


def test_sigterm_does_not_wait_for_those_who_follow(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    engine.docker("run", "-d", "--name", "on", IMAGE, "sh", "-c", "echo begun; sleep 1000")
    with subprocess.Popen(
        [docker_cli(), "logs", "-f", "on"], env=engine.environment, stdout=subprocess.PIPE
    ) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == b"begun\n"
        assert engine.stop() == 0
        follower.wait(timeout=20)
    engine.start()
    engine.docker("exec", "on", "true")


def test_sighup_reads_the_file_again(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    file = engine.directory / "daemon.json"
    assert engine.get("/info")["Labels"] == []
    file.write_text(json.dumps({"labels": ["room=one"]}))
    assert engine.process is not None
    engine.process.send_signal(signal.SIGHUP)
    wait_for(lambda: engine.get("/info")["Labels"] == ["room=one"])
    file.write_text("{broken")
    engine.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reloading failed" in engine.log())
    assert engine.get("/info")["Labels"] == ["room=one"]


def test_validate(tmp_path: Path) -> None:
    file = tmp_path / "daemon.json"
    file.write_text(json.dumps({"debug": True, "log-opts": {"max-size": "1m"}}))
    good = _ladingd("--validate", f"--config-file={file}")
    assert (good.returncode, "configuration OK" in good.stdout + good.stderr) == (0, True)
    for content, said in (
        ('{"debug": "yes"}', "debug"),
        ('{"nonsense": 1}', "nonsense"),
        ("{", "daemon.json"),
        ("[]", "daemon.json"),
        ('{"log-level": "loud"}', "loud"),
        ('{"log-driver": "nosuch"}', "nosuch"),
        ('{"bip": "10.0.0.0.0/8"}', "10.0.0.0.0/8"),
        ('{"dns": ["no address"]}', "no address"),
        ('{"hosts": [1]}', "hosts"),
        ('{"mtu": true}', "mtu"),
        ('{"runtimes": {"x": "/bin/x"}}', "invalid runtime x"),
        ('{"log-opts": {"max-size": 5}}', "log-opts"),
        ('{"default-shm-size": []}', "default-shm-size"),
    ):
        file.write_text(content)
        bad = _ladingd("--validate", f"--config-file={file}")
        assert bad.returncode == 1, content
        assert said in bad.stderr
        assert "Traceback" not in bad.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--nonsense"], "--nonsense"),
        (["--debug=perhaps"], "perhaps"),
        (["-H", "ftp://x"], "ftp://x"),
        (["-H", "unix://relative"], "absolute"),
        (["-H", "tcp://127.0.0.1:99999", "--tls=false"], "99999"),
        (["--log-level=loud"], "loud"),
        (["--mtu=big"], "big"),
        (["--config-file=/no/such/file"], "/no/such/file"),
        (["--label=novalue"], "novalue"),
        (["--add-runtime=nopath"], "nopath"),
        (["--default-shm-size=huge"], "huge"),
        (["--userns-remap=default"], "this engine does not remap users yet"),
        (["stray"], "stray"),
    ],
)
def test_bad_flags_are_named(flags: list[str], said: str) -> None:
    refused = _ladingd("--validate", *flags)
    assert refused.returncode in (1, 2)
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--bip=10.1.2.3/40"], "10.1.2.3/40"),
        (["--default-runtime=nosuch"], "nosuch"),
        (["--seccomp-profile=/no/such"], "/no/such"),
        (["-H", "unix:///dev/null/x.sock"], "/dev/null"),
        (["--group=nosuchgroup"], "nosuchgroup"),
        (["--pidfile=/no/such/directory/pid"], "/no/such/directory/pid"),
        (["--init-path=/no/such/init"], "/no/such/init"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, flags: list[str], said: str) -> None:
    engine = Engine(tmp_path, *flags)
    try:
        with pytest.raises(AssertionError, match="ladingd ended"):
            engine.start()
        log = engine.log()
        assert said in log.splitlines()[-1]
        assert "Traceback" not in log
    finally:
        engine.destroy()


def test_version_and_help() -> None:
    assert _ladingd("--version").stdout.startswith("Lading version ")
    shown = _ladingd("--help").stdout
    for flag in (
        "--data-root",
        "--exec-root",
        "--tlsverify",
        "--live-restore",
        "--bip",
        "--group",
        "--validate",
    ):
        assert flag in shown
