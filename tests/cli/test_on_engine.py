"""Our command line on our engine: the whole way, with real containers."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.engine.engine import IMAGE, Engine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")

LADING = str(Path(sys.executable).parent / "lading")


def spawn(engine: Engine, *words: str) -> Any:
    return pexpect.spawn(
        LADING, list(words), env=engine.environment, timeout=20, dimensions=(33, 99), encoding="utf-8"
    )


def end(session: Any) -> int:
    session.expect(pexpect.EOF)
    session.close()
    return int(session.exitstatus)


def test_streams_and_exit_code(engine: Engine) -> None:
    done = engine.lading("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


@pytest.mark.parametrize(("program", "code"), [("nosuch", 127), ("/etc", 126)])
def test_programs_that_cannot_run(engine: Engine, program: str, code: int) -> None:
    assert engine.lading("run", "--rm", IMAGE, program, check=False).returncode == code


def test_bytes_come_back_as_they_went(engine: Engine) -> None:
    data = os.urandom(3_000_000)
    assert engine.lading("run", "--rm", "-i", IMAGE, "cat", input=data).stdout == data


def test_a_containers_life(engine: Engine) -> None:
    made = engine.lading("run", "-d", "--name", "life", "-e", "A=1", IMAGE, "sh", "-c", "echo up; sleep 100")
    identifier = made.stdout.decode().strip()
    assert engine.lading("ps", "-q", "--no-trunc").stdout.decode().strip() == identifier
    assert engine.lading("exec", "life", "sh", "-c", "echo $A").stdout == b"1\n"
    assert engine.lading("logs", "life").stdout == b"up\n"
    assert engine.lading("inspect", "-f", "{{.State.Status}} {{.Name}}", "life").stdout == b"running /life\n"
    engine.lading("rename", "life", "second")
    assert engine.lading("stop", "-t", "0", "second").stdout == b"second\n"
    assert engine.lading("wait", "second").stdout == b"137\n"
    assert b"Exited (137)" in engine.lading("ps", "-a").stdout
    assert engine.lading("rm", "second").stdout == b"second\n"
    assert engine.lading("ps", "-aq").stdout == b""


def test_start_attached_to_a_created_container(engine: Engine) -> None:
    engine.lading("create", "--name", "made", "-i", IMAGE, "cat")
    assert engine.lading("start", "-ai", "made", input=b"hello").stdout == b"hello"


def test_images_are_tagged_imported_and_removed(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    subprocess.run(["tar", "-C", tmp_path, "-cf", tmp_path / "a.tar", "file"], check=True)
    engine.lading("import", str(tmp_path / "a.tar"), "imported:1")
    engine.lading("tag", "imported:1", "other:2")
    listed = engine.lading("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.decode().split()
    assert {"imported:1", "other:2"} <= set(listed)
    assert engine.lading("rmi", "other:2").stdout == b"Untagged: other:2\n"
    assert b"Deleted: sha256:" in engine.lading("rmi", "imported:1").stdout


def test_a_terminal_follows_our_size_and_can_be_left_and_taken_up(engine: Engine) -> None:
    session = spawn(engine, "run", "-it", "--name", "term", IMAGE, "sh")
    session.expect("[#$]")
    session.sendline("stty size")
    session.expect("33 99")
    session.setwinsize(40, 101)
    time.sleep(0.5)
    session.sendline("stty size")
    session.expect("40 101")
    session.send("\x10\x11")
    assert end(session) == 0
    session = spawn(engine, "attach", "term")
    session.sendline("echo a''b")
    session.expect("ab")
    session.sendline("exit 5")
    assert end(session) == 5


def test_a_session_goes_on_through_a_crash_of_the_engine(engine: Engine) -> None:
    session = spawn(engine, "run", "-it", IMAGE, "sh")
    session.expect("[#$]")
    engine.kill()
    session.sendline("echo 1''2")
    session.expect("12")
    engine.start()
    session.sendline("exit 6")
    assert end(session) == 6


def test_a_terminated_client_ends_its_container(engine: Engine) -> None:
    script = 'trap "echo got it; exit 9" TERM; echo ready; while true; do sleep 0.05; done'
    with subprocess.Popen(
        [LADING, "run", "--rm", IMAGE, "sh", "-c", script], env=engine.environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.stdout.read() == b"got it\n"
        assert process.wait(20) == 9
