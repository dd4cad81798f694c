"""Death and succession: another keeper, another daemon, the same keeper with newer files."""

import ctypes
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.keeper.driver import Daemon, KeeperProcess

from lading.keeper import Message

PR_SET_CHILD_SUBREAPER = 36
COUNTER = 'i=0; while [ $i -lt {last} ]; do i=$((i+1)); echo "line $i"; done; exit 5'


@pytest.fixture(autouse=True)
def _init_buries() -> None:
    """A dead keeper's children fall to init, not to the tests' own process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


class Successor:
    """What a daemon does when its keeper has died."""

    def __init__(self, keeper: KeeperProcess) -> None:
        self.keeper = keeper
        self.facts: dict[str, Message] = {}
        self.held: dict[str, dict[str, int]] = {}
        self.journal = keeper.daemon.ask("journal")[1]["journal"]

    def launch(self, key: str, *command: str, **changes: object) -> None:
        reply, self.held[key] = self.keeper.hold(key, *command, **changes)
        self.facts[key] = reply["ok"]

    def replace(self) -> None:
        """Kills the keeper and hands everything to a new one."""
        self.keeper.kill()
        self.keeper.start()
        flying = self.keeper.daemon.ask("take_journal", {"journal": self.journal})[0]["ok"]["in_flight"]
        for key, facts in sorted(self.facts.items(), key=lambda item: flying not in item[1]["slots"]):
            reply, _ = self.keeper.daemon.ask("adopt", self.held[key], facts=facts)
            assert "ok" in reply, reply
            facts.update(reply["ok"])
            if facts["state"] == "exited":
                self.keeper.daemon.news.append({"news": "exit", **facts})

    def close(self) -> None:
        os.close(self.journal)
        for named in self.held.values():
            for descriptor in named.values():
                os.close(descriptor)


@pytest.fixture
def successor(keeper: KeeperProcess) -> Iterator[Successor]:
    made = Successor(keeper)
    yield made
    made.close()


def lines(path: Path) -> list[str]:
    return [json.loads(line)["log"] for line in path.read_text().splitlines()]


def test_no_line_and_no_exit_code_is_lost_however_often_the_keeper_dies(successor: Successor) -> None:
    last = 200_000
    keeper = successor.keeper
    successor.launch("a", "sh", "-c", COUNTER.format(last=last))
    for death in range(8):
        time.sleep(0.003 * death)
        successor.replace()
    assert keeper.daemon.wait("exit", "a")["code"] == 5
    assert lines(keeper.log_path("a")) == [f"line {number}\n" for number in range(1, last + 1)]


def test_a_line_begun_under_one_keeper_ends_under_the_next(successor: Successor) -> None:
    successor.launch("a", "sh", "-c", "printf begin; read x; echo ' and end'", open_stdin=True)
    user = successor.keeper.attach("a")
    time.sleep(0.2)
    user.socket.close()
    successor.replace()
    successor.keeper.attach("a").send(b"\n")
    successor.keeper.daemon.wait("exit", "a")
    assert lines(successor.keeper.log_path("a")) == ["begin and end\n"]


def test_an_exit_nobody_watched_is_found_out(successor: Successor) -> None:
    successor.launch("a", "sh", "-c", "read x; echo last words; exit 6", open_stdin=True)
    user = successor.keeper.attach("a")
    successor.keeper.kill()
    os.write(successor.held["a"]["stdin"], b"\n")
    user.socket.close()
    time.sleep(0.2)
    successor.keeper.start()
    successor.keeper.daemon.ask("take_journal", {"journal": successor.journal})
    successor.keeper.daemon.ask("adopt", successor.held["a"], facts=successor.facts["a"])
    news = successor.keeper.daemon.wait("exit", "a")
    assert (news["code"], news["reason"]) == (6, "")
    assert lines(successor.keeper.log_path("a")) == ["last words\n"]


def test_an_exit_recorded_but_not_told_is_taken_from_its_record(successor: Successor) -> None:
    successor.launch("a", "sh", "-c", "exit 8")
    successor.keeper.daemon.wait("exit", "a")
    successor.replace()
    assert successor.keeper.daemon.wait("exit", "a")["code"] == 8


def test_the_daemon_may_know_an_exit_better(successor: Successor) -> None:
    successor.launch("a", "sleep", "60")
    successor.replace()
    successor.keeper.daemon.ask("exited", key="a", code=77)
    assert successor.keeper.daemon.wait("exit", "a")["code"] == 77
    os.kill(successor.facts["a"]["pid"], signal.SIGKILL)


def test_adopted_processes_are_used_like_others(successor: Successor) -> None:
    successor.launch("a", "cat", open_stdin=True)
    successor.replace()
    user = successor.keeper.attach("a")
    user.send(b"still here\n")
    user.read_until(b"still here\n")
    successor.keeper.daemon.ask("signal", key="a", signal=signal.SIGTERM)
    assert successor.keeper.daemon.wait("exit", "a")["code"] == 143


def test_a_daemon_that_dies_leaves_everything_running(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    keeper.launch("a", "sh", "-c", "read x; echo $x; exit 3", open_stdin=True)
    keeper.daemon.close()
    user.send(b"nobody is watching\n")
    assert user.read_all() == b"nobody is watching\n"
    keeper.daemon = Daemon(keeper.path)
    assert keeper.daemon.ask("handles", key="a")[0]["ok"]["facts"]["code"] == 3


def test_a_daemon_that_does_not_read_does_not_stop_the_keeper(keeper: KeeperProcess) -> None:
    asleep = keeper.daemon
    keeper.daemon = Daemon(keeper.path)
    for number in range(300):
        reply = keeper.launch("a", "true", sink={"driver": "none", "path": ""}, container="x" * 4000)
        assert "ok" in reply, (number, reply)
        keeper.daemon.wait("exit", "a")
        keeper.daemon.ask("forget", key="a")
    assert asleep.wait("exit", "a")["code"] == 0
    asleep.close()


def test_upgrade_keeps_processes_clients_and_connections(keeper: KeeperProcess) -> None:
    user = keeper.attach("a", framed=True)
    waiting = keeper.attach("later")
    keeper.launch("a", "sh", "-c", "printf 'be'; read x; echo gun; exit 4", open_stdin=True)
    user.read_until(b"be")
    keeper.launch("done", "sh", "-c", "exit 2")
    keeper.daemon.wait("exit", "done")
    before = keeper.pid
    assert "ok" in keeper.daemon.ask("upgrade")[0]
    about = keeper.daemon.ask("hello")[0]["ok"]
    assert (about["pid"], sorted(about["keys"])) == (before, ["a", "done"])
    user.send(b"\n")
    assert user.read_all() == b"\x01\0\0\0\0\0\0\x04gun\n"
    assert keeper.daemon.wait("exit", "a")["code"] == 4
    assert lines(keeper.log_path("a")) == ["begun\n"]
    keeper.launch("later", "echo", "hello")
    assert waiting.read_all() == b"hello\n"
    assert keeper.daemon.ask("handles", key="done")[0]["ok"]["facts"]["code"] == 2


def test_upgrade_keeps_parked_connections(keeper: KeeperProcess) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    with ours, theirs:
        for name in ("first", "second"):
            keeper.daemon.ask("park", {"connection": theirs.fileno()}, about={"for": name})
        keeper.daemon.ask("unpark", number=2)
        keeper.daemon.ask("upgrade")
        reply, named = keeper.daemon.ask("parked")
        assert reply["ok"]["abouts"] == {"1": {"for": "first"}}
        with socket.socket(fileno=named["1"]) as parked:
            parked.sendall(b"still there")
        assert ours.recv(100) == b"still there"
        # A number is never given twice: whoever has the second one still may ask for it to be let go.
        assert keeper.daemon.ask("park", {"connection": theirs.fileno()}, about={})[0]["ok"]["number"] == 3
    user = keeper.attach("a")
    keeper.launch("a", "ls", "/proc/self/fd")
    assert user.read_all().split() == [b"0", b"1", b"2", b"3"]


def test_upgrade_under_load_loses_nothing(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    keeper.launch("a", "sh", "-c", COUNTER.format(last=100_000))
    for _ in range(5):
        keeper.daemon.ask("upgrade")
    text = user.read_all()
    assert keeper.daemon.wait("exit", "a")["code"] == 5
    expected = [f"line {number}\n" for number in range(1, 100_001)]
    assert text.decode().splitlines(keepends=True) == expected
    assert lines(keeper.log_path("a")) == expected


def test_upgrade_leaks_no_descriptor_into_what_is_launched_next(keeper: KeeperProcess) -> None:
    keeper.launch("other", "sleep", "60", open_stdin=True)
    keeper.attach("other")
    keeper.daemon.ask("upgrade")
    user = keeper.attach("a")
    keeper.launch("a", "ls", "/proc/self/fd")
    assert user.read_all().split() == [b"0", b"1", b"2", b"3"]
