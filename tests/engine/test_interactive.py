"""People at terminals: sizes, signals, detaching, and sessions that outlive the engine's processes."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest
from tests.engine.engine import IMAGE, Engine, docker_cli, wait_for

DETACH = "\x10\x11"


class Terminals:
    """docker CLIs, each in a terminal of its own."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def docker(self, engine: Engine, *words: str, size: tuple[int, int] = (24, 80)) -> Any:
        child = pexpect.spawn(
            docker_cli(),
            list(words),
            env={**engine.environment, "TERM": "dumb"},
            dimensions=size,
            timeout=20,
            echo=False,
        )
        child.delaybeforesend = None
        self._open.append(child)
        return child

    def close(self) -> None:
        for child in self._open:
            child.close(force=True)


@pytest.fixture
def terminals() -> Iterator[Terminals]:
    terminals = Terminals()
    yield terminals
    terminals.close()


def _ask(child: Any, command: str, answer: str) -> None:
    """Types a command at the prompt and expects its answer (the answer must differ from the command)."""
    child.sendline(command)
    child.expect(answer)
    child.expect("# ")


def _code(child: Any) -> int:
    child.expect(pexpect.EOF)
    child.wait()
    return int(child.exitstatus)


def test_a_terminal_has_the_size_of_the_users(engine: Engine, terminals: Terminals) -> None:
    child = terminals.docker(engine, "run", "-it", "--rm", IMAGE, "sh", size=(31, 97))
    child.expect("# ")
    _ask(child, "stty size", "31 97")
    child.setwinsize(40, 120)
    wait_for(lambda: _size(child) == "40 120")
    child.sendline("exit 9")
    assert _code(child) == 9


def _size(child: Any) -> str:
    child.sendline("stty size")
    child.expect(r"(\d+ \d+)\r\n")
    return str(child.match[1].decode())


def test_control_c_interrupts_the_process_inside(engine: Engine, terminals: Terminals) -> None:
    child = terminals.docker(engine, "run", "-it", "--name", "ctl", IMAGE, "sh")
    child.expect("# ")
    child.sendline("sleep 1000; echo code $?")
    wait_for(lambda: b"sleep 1000" in engine.docker("exec", "ctl", "ps").stdout)
    child.sendcontrol("c")
    child.expect("# ")
    _ask(child, "echo still $((40 + 2))", "still 42")
    child.sendcontrol("d")
    assert _code(child) == 0


def test_detaching_leaves_it_running_for_the_next(engine: Engine, terminals: Terminals) -> None:
    child = terminals.docker(engine, "run", "-it", "--name", "det", IMAGE, "sh")
    child.expect("# ")
    _ask(child, "x=$((6 * 7))", "")
    child.send(DETACH)
    assert _code(child) == 0
    assert engine.get("/containers/det/json")["State"]["Running"]
    again = terminals.docker(engine, "attach", "det")
    again.sendline("")
    again.expect("# ")
    _ask(again, "echo x=$x", "x=42")
    again.send(DETACH)
    again.expect("read escape sequence")
    last = terminals.docker(engine, "attach", "det")
    last.sendline("exit 5")
    assert _code(last) == 5


def test_detach_keys_of_ones_own(engine: Engine, terminals: Terminals) -> None:
    child = terminals.docker(engine, "run", "-it", "--detach-keys", "ctrl-e,e", "--name", "own", IMAGE, "cat")
    child.sendline("one")
    child.expect("one\r\none\r\n")
    child.send("\x05x\r")
    child.expect("x")
    child.send("\x05e")
    assert _code(child) == 0
    assert engine.get("/containers/own/json")["State"]["Running"]


def test_exec_in_a_terminal(engine: Engine, terminals: Terminals) -> None:
    engine.docker("run", "-d", "--name", "box", IMAGE, "sleep", "1000")
    child = terminals.docker(engine, "exec", "-it", "box", "sh", size=(33, 99))
    child.expect("# ")
    wait_for(lambda: _size(child) == "33 99")
    child.setwinsize(20, 60)
    wait_for(lambda: _size(child) == "20 60")
    child.sendline("exit 6")
    assert _code(child) == 6


def _kill_daemon(engine: Engine) -> None:
    engine.kill()
    engine.start()


def _kill_keeper(engine: Engine) -> None:
    old = engine.keeper_pid()
    os.kill(old, 9)
    # An answer that needs the keeper comes only when the next one holds all the dead one held.
    (running,) = engine.get("/containers/json")
    engine.docker("exec", running["Id"], "true")
    assert engine.keeper_pid() != old


def _kill_both(engine: Engine) -> None:
    """One after the other: what both hold at the same time is nobody's then."""
    _kill_keeper(engine)
    _kill_daemon(engine)
    _kill_keeper(engine)


def _expected(code: int, strike: Callable[[Engine], None]) -> int:
    """Of an orphan of both, only Linux 6.15 and later can tell the exit code."""
    kernel = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    return 255 if strike is _kill_both and kernel < (6, 15) else code


@pytest.mark.parametrize("strike", [_kill_daemon, _kill_keeper, _kill_both])
def test_a_session_goes_on(
    new_engine: Callable[..., Engine], terminals: Terminals, strike: Callable[[Engine], None]
) -> None:
    engine = new_engine()
    child = terminals.docker(engine, "run", "-it", "--name", "on", IMAGE, "sh", size=(30, 90))
    child.expect("# ")
    _ask(child, "a=$((20 + 1)); (sleep 1; echo late $a) & true", "")
    strike(engine)
    child.expect("late 21")
    child.sendline("")
    child.expect("# ")
    _ask(child, "echo a=$a", "a=21")
    assert engine.get("/containers/on/json")["State"]["Running"]
    child.setwinsize(44, 144)
    wait_for(lambda: _size(child) == "44 144")
    child.sendline("exit 77")
    assert _code(child) == _expected(77, strike)
    state = engine.get("/containers/on/json")["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", _expected(77, strike))
    assert b"late 21" in engine.docker("logs", "on").stdout


@pytest.mark.parametrize("strike", [_kill_daemon, _kill_keeper, _kill_both])
def test_an_exec_goes_on(
    new_engine: Callable[..., Engine], terminals: Terminals, strike: Callable[[Engine], None]
) -> None:
    engine = new_engine()
    engine.docker("run", "-d", "--name", "box", IMAGE, "sleep", "1000")
    child = terminals.docker(engine, "exec", "-it", "box", "sh")
    child.expect("# ")
    _ask(child, "b=$((30 + 3))", "")
    strike(engine)
    _ask(child, "echo b=$b", "b=33")
    child.setwinsize(44, 144)
    wait_for(lambda: _size(child) == "44 144")
    child.sendline("exit 78")
    assert _code(child) == _expected(78, strike)
    assert engine.get("/containers/box/json")["ExecIDs"] is None


def test_pipes_and_followers_go_on(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    pipe = subprocess.Popen(
        [docker_cli(), "run", "-i", "--name", "pipe", IMAGE, "sh", "-c", "cat; exit 4"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=engine.environment,
    )
    assert pipe.stdin is not None
    assert pipe.stdout is not None
    pipe.stdin.write(b"before\n")
    pipe.stdin.flush()
    assert pipe.stdout.readline() == b"before\n"
    # The client asks for the exit code after it has attached.
    time.sleep(0.5)
    _kill_daemon(engine)
    out, _ = pipe.communicate(b"after\n", timeout=20)
    assert (out, pipe.returncode) == (b"after\n", 4)
    assert engine.docker("logs", "pipe").stdout == b"before\nafter\n"
