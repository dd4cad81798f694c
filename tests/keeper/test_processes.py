"""Starting processes, and learning how they end."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.keeper.driver import FAKE_RUNTIME, Daemon, KeeperProcess


def test_exit_code_is_recorded_before_it_is_announced(keeper: KeeperProcess) -> None:
    reply = keeper.launch("a", "sh", "-c", "exit 7")
    news = keeper.daemon.wait("exit", "a")
    record = json.loads((keeper.directory / "a.exit").read_text())
    assert news["code"] == record["code"] == 7
    assert news["finished_ns"] == record["finished_ns"] >= reply["ok"]["started_ns"]
    assert record["pid"] == reply["ok"]["pid"]


def test_a_signal_counts_as_128_and_its_number(keeper: KeeperProcess) -> None:
    keeper.launch("a", "sleep", "60")
    assert "ok" in keeper.daemon.ask("signal", key="a", signal=signal.SIGTERM)[0]
    assert keeper.daemon.wait("exit", "a")["code"] == 128 + signal.SIGTERM
    assert keeper.daemon.ask("signal", key="a", signal=signal.SIGTERM)[0]["kind"] == "conflict"


def test_many_short_processes_at_once(keeper: KeeperProcess) -> None:
    for number in range(30):
        keeper.launch(f"p{number}", "sh", "-c", f"exit {number}")
    for number in range(30):
        assert keeper.daemon.wait("exit", f"p{number}")["code"] == number


def test_a_record_stays_until_it_is_forgotten(keeper: KeeperProcess) -> None:
    keeper.launch("a", "true")
    keeper.daemon.wait("exit", "a")
    keeper.daemon.close()
    keeper.daemon = Daemon(keeper.path)
    assert keeper.daemon.ask("hello")[0]["ok"]["keys"] == ["a"]
    assert keeper.daemon.ask("handles", key="a")[0]["ok"]["facts"]["code"] == 0
    assert keeper.launch("a", "true")["kind"] == "conflict"
    keeper.daemon.ask("forget", key="a")
    assert not (keeper.directory / "a.exit").exists()
    assert keeper.daemon.ask("hello")[0]["ok"]["keys"] == []


def test_what_runs_cannot_be_forgotten(keeper: KeeperProcess) -> None:
    keeper.launch("a", "sleep", "60")
    assert keeper.daemon.ask("forget", key="a")[0]["kind"] == "conflict"


def test_a_runtime_that_fails_is_quoted(keeper: KeeperProcess) -> None:
    keeper.runtime.write_text("#!/bin/sh\necho it went wrong >&2\nexit 3\n")
    reply = keeper.launch("a", "true")
    assert (reply["kind"], reply["error"], reply["code"]) == ("runtime", "it went wrong", 3)
    (keeper.directory / "a.runtime-log").write_text("from its log\n")
    assert keeper.launch("a", "true")["error"] == "from its log"


def test_a_runtime_that_is_not_there(keeper: KeeperProcess) -> None:
    keeper.runtime.unlink()
    reply = keeper.launch("a", "true")
    assert reply["kind"] == "runtime"
    assert "No such file" in reply["error"]


SILENT = "pass"
CALLING = "call = socket.socket(socket.AF_UNIX); call.connect(sys.argv[2]); os.fork() or time.sleep(60)"


@pytest.mark.parametrize("doing", [SILENT, CALLING])
def test_a_runtime_that_hands_over_no_terminal_has_failed(keeper: KeeperProcess, doing: str) -> None:
    script = f"open(sys.argv[1], 'w').write('1')\n{doing}\n"
    keeper.runtime.write_text(f"#!{sys.executable}\nimport os, socket, sys, time\n{script}")
    reply = keeper.launch("a", "{console}", tty=True)
    assert (reply["kind"], reply["error"]) == ("runtime", "the OCI runtime handed over no terminal")
    keeper.runtime.write_text(FAKE_RUNTIME)
    keeper.launch("b", "sh", "-c", "exit 3")
    assert keeper.daemon.wait("exit", "b")["code"] == 3


def test_a_descendant_that_holds_the_pipe_does_not_delay_the_exit(keeper: KeeperProcess) -> None:
    keeper.launch("a", "sh", "-c", "sleep 60 & echo done")
    assert keeper.daemon.wait("exit", "a")["code"] == 0
    assert '"done\\n"' in keeper.log_path("a").read_text()


def test_nothing_of_the_keeper_leaks_into_a_process(keeper: KeeperProcess) -> None:
    keeper.launch("other", "sleep", "60", open_stdin=True)
    keeper.attach("other")
    user = keeper.attach("a")
    script = "ls /proc/self/fd; cat /proc/self/oom_score_adj; grep -E 'SigIgn|SigBlk' /proc/self/status"
    keeper.launch("a", "sh", "-c", script)
    lines = user.read_all().decode().split("\n")
    # 3 is the directory `ls` reads.
    assert lines[:4] == ["0", "1", "2", "3"]
    assert lines[4] == "0"
    blocked, ignored = sorted(int(line.split()[1], 16) for line in lines[5:7])
    # The stand-in's shell ignores INT and QUIT for what it starts; glibc's posix_spawn its own 32 and 33.
    assert (blocked, ignored & ~0x180000006) == (0, 0)


def test_the_size_of_requests_has_no_limit(keeper: KeeperProcess) -> None:
    attributes = json.dumps({"label": "x" * 300_000})
    sink = {"driver": "json-file", "path": str(keeper.log_path("a")), "attrs": attributes}
    reply = keeper.launch("a", "echo", "hi", sink=sink)
    assert len(reply["ok"]["sink"]["attrs"]) > 300_000
    keeper.daemon.wait("exit", "a")
    assert len(json.loads(keeper.log_path("a").read_text())["attrs"]["label"]) == 300_000


def test_bad_requests_are_refused_and_cost_nothing(keeper: KeeperProcess) -> None:
    for operation in ("nonsense", "signal", "launch", "attach", "adopt", "handles"):
        assert "error" in keeper.daemon.ask(operation, key="none")[0]
    keeper.daemon.socket.send(b"not even JSON")
    keeper.daemon = Daemon(keeper.path)
    assert keeper.daemon.ask("hello")[0]["ok"]["pid"] == keeper.pid


def test_an_idle_keeper_nobody_needs_goes_away(keeper: KeeperProcess) -> None:
    keeper.launch("a", "true")
    keeper.daemon.wait("exit", "a")
    keeper.daemon.ask("forget", key="a")
    keeper.daemon.close()
    assert keeper.processes[-1].wait(20) == 0
    assert not keeper.path.exists()


def test_a_keeper_that_is_needed_cannot_be_stopped(keeper: KeeperProcess) -> None:
    keeper.launch("a", "sleep", "60")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(keeper.pid, number)
    assert keeper.daemon.ask("hello")[0]["ok"]["keys"] == ["a"]


def test_two_keepers_do_not_share_a_directory(keeper: KeeperProcess, tmp_path: Path) -> None:
    keeper.launch("a", "sleep", "60")
    first = keeper.pid
    keeper.start()
    assert keeper.processes[-1].wait(20) != 0
    assert keeper.daemon.ask("hello")[0]["ok"]["pid"] == first
