"""Attached commands as a user lives them: streams, a terminal, signals, the end."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.cli.conftest import Outcome
from tests.cli.recorder import CONTAINER_ID, Answer, Call, Recorder, as_json, framed, refusal

Talk = Callable[[socket.socket], None]


class Container:
    """Scripts a recorder so that every way to attach reaches one talk; ends with `code` when it is over."""

    def __init__(self, recorder: Recorder, talk: Talk, code: int = 0, tty: bool = False) -> None:
        self.over = threading.Event()
        self._talk = talk
        self._code = code
        state = {"Running": True, "Paused": False, "Restarting": False, "Status": "running"}
        inspected = {
            "Id": CONTAINER_ID,
            "State": state,
            "Config": {"Tty": tty, "OpenStdin": True},
            "HostConfig": {"AutoRemove": False},
        }
        for name in (CONTAINER_ID, "box"):
            path = f"/containers/{name}"
            recorder.answers[f"POST {path}/attach"] = Answer(talk=self._run)
            recorder.answers[f"POST {path}/wait"] = Answer(pieces=self._wait)
            recorder.answers[f"POST {path}/start"] = Answer(204)
            recorder.answers[f"POST {path}/resize"] = Answer(200)
            recorder.answers[f"POST {path}/kill"] = Answer(204)
            recorder.answers[f"GET {path}/json"] = as_json(inspected)
        recorder.answers["POST /containers/box/exec"] = as_json({"Id": "e1"}, 201)
        recorder.answers["POST /exec/e1/start"] = Answer(talk=self._run)
        recorder.answers["POST /exec/e1/resize"] = Answer(200)
        recorder.answers["GET /exec/e1/json"] = as_json({"ExitCode": code, "Running": False})

    def _run(self, peer: socket.socket) -> None:
        try:
            self._talk(peer)
        finally:
            self.over.set()

    def _wait(self) -> Iterator[bytes]:
        self.over.wait(20)
        yield b'{"StatusCode":%d}' % self._code


def says(*frames: tuple[int, bytes]) -> Talk:
    return lambda peer: peer.sendall(framed(*frames))


def run(program: list[str], *words: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([*program, *words], input=stdin, capture_output=True, timeout=30, check=False)


def test_output_goes_to_its_own_stream_and_the_exit_code_is_the_containers(
    recorder: Recorder, program: list[str]
) -> None:
    Container(recorder, says((1, b"out\n"), (2, b"err\n"), (1, b"more")), code=7)
    done = run(program, "run", "b")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\nmore", b"err\n")
    calls = [(call.method, call.path.rpartition("/")[2]) for call in recorder.take()]
    assert calls == [("POST", "create"), ("POST", "attach"), ("POST", "wait"), ("POST", "start")]


def test_with_rm_the_end_is_the_removal(recorder: Recorder, program: list[str]) -> None:
    Container(recorder, says())
    run(program, "run", "--rm", "b")
    (wait,) = (call for call in recorder.take() if call.path.endswith("/wait"))
    assert wait.query == {"condition": ["removed"]}


def test_input_ends_while_output_goes_on(recorder: Recorder, program: list[str]) -> None:
    """The half-close: what is printed after the end of input arrives."""

    def count(peer: socket.socket) -> None:
        total = 0
        while data := peer.recv(65536):
            total += len(data)
        peer.sendall(framed((1, str(total).encode())))

    Container(recorder, count)
    assert run(program, "run", "-i", "b", stdin=b"x" * 3_000_000).stdout == b"3000000"


def test_megabytes_go_both_ways_at_once(recorder: Recorder, program: list[str]) -> None:
    """A container that echoes blocks on its output unless we read while we write."""

    def echo(peer: socket.socket) -> None:
        while data := peer.recv(65536):
            peer.sendall(framed((1, data)))

    Container(recorder, echo)
    data = bytes(range(256)) * 20_000
    assert run(program, "run", "-i", "b", stdin=data).stdout == data


def test_without_i_stdin_is_left_alone(recorder: Recorder, program: list[str]) -> None:
    received: list[bytes] = []

    def listen(peer: socket.socket) -> None:
        peer.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            received.append(peer.recv(10))

    Container(recorder, listen)
    run(program, "run", "b", stdin=b"not for you")
    assert received == []


def test_exec_gives_the_commands_exit_code(recorder: Recorder, program: list[str]) -> None:
    Container(recorder, says((1, b"hi\n"), (2, b"oh\n")), code=4)
    done = run(program, "exec", "-e", "A=1", "-u", "me", "-w", "/x", "box", "ls", "-l")
    assert (done.returncode, done.stdout, done.stderr) == (4, b"hi\n", b"oh\n")
    body = next(call.json for call in recorder.take() if call.path == "/containers/box/exec")
    assert body["Cmd"] == ["ls", "-l"]
    assert (body["Env"], body["User"], body["WorkingDir"]) == (["A=1"], "me", "/x")


def test_detached_run_prints_the_id(recorder: Recorder, program: list[str]) -> None:
    Container(recorder, says())
    done = run(program, "run", "-d", "b")
    assert (done.returncode, done.stdout) == (0, CONTAINER_ID.encode() + b"\n")
    assert [call.path.rpartition("/")[2] for call in recorder.take()] == ["create", "start"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('exec: "foo": executable file not found in $PATH', 127),
        ("stat /foo: no such file or directory", 127),
        ('exec: "/foo": permission denied', 126),
        ("exec /etc: is a directory", 126),
        ("driver failed programming external connectivity", 125),
    ],
)
def test_why_it_did_not_start_decides_the_exit_code(
    message: str, code: int, recorder: Recorder, lading: Callable[..., Outcome]
) -> None:
    Container(recorder, lambda peer: time.sleep(0.5))
    recorder.answers[f"POST /containers/{CONTAINER_ID}/start"] = refusal(400, message)
    outcome = lading("run", "b")
    assert outcome.code == code
    assert outcome.err.startswith(f"lading: Error response from daemon: {message}\n")


def test_a_missing_image_is_fetched(recorder: Recorder, lading: Callable[..., Outcome]) -> None:
    fetched: list[Call] = []

    def create(call: Call) -> Answer:
        if not fetched:
            return refusal(404, "No such image: b:latest")
        return as_json({"Id": CONTAINER_ID, "Warnings": []}, 201)

    def fetch(call: Call) -> Answer:
        fetched.append(call)
        return Answer(200, b'{"status":"Pulling from library/b","id":"latest"}\n{"status":"Done"}\n')

    Container(recorder, says((1, b"hello\n")))
    recorder.answers["POST /containers/create"] = create
    recorder.answers["POST /images/create"] = fetch
    outcome = lading("run", "b")
    assert outcome == Outcome(
        0, "hello\n", "Unable to find image 'b:latest' locally\nlatest: Pulling from library/b\nDone\n"
    )
    assert fetched[0].query == {"fromImage": ["docker.io/library/b"], "tag": ["latest"]}


def test_an_image_that_cannot_be_fetched(recorder: Recorder, lading: Callable[..., Outcome]) -> None:
    recorder.answers["POST /containers/create"] = refusal(404, "No such image: b:latest")
    recorder.answers["POST /images/create"] = refusal(404, "pull access denied for b")
    outcome = lading("run", "b")
    assert outcome.code == 125
    assert outcome.err.startswith(
        "Unable to find image 'b:latest' locally\nlading: Error response from daemon: pull access denied"
    )
    recorder.take()
    assert lading("run", "--pull", "never", "b").code == 125
    assert all(call.path != "/images/create" for call in recorder.take())


def test_an_engine_that_vanishes_is_one_clear_line(recorder: Recorder, program: list[str]) -> None:
    def create(call: Call) -> Answer:
        raise OSError

    recorder.answers["POST /containers/create"] = create
    done = run(program, "run", "b")
    assert done.returncode == 125
    assert b"the engine closed the connection before it answered" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_exit_code_is_asked_for_again_when_the_engine_comes_back(
    recorder: Recorder, program: list[str]
) -> None:
    """The connection that waits is lost; the container has ended meanwhile."""

    def lose() -> Iterator[bytes]:
        raise OSError
        yield b""

    Container(recorder, says((1, b"x\n")))
    path = f"/containers/{CONTAINER_ID}"
    recorder.answers[f"POST {path}/wait"] = Answer(pieces=lose)
    recorder.answers[f"GET {path}/json"] = as_json({"State": {"Status": "exited", "ExitCode": 9}})
    assert run(program, "run", "b").returncode == 9


# --- signals


def test_signals_are_handed_on(recorder: Recorder, program: list[str]) -> None:
    arrived = threading.Event()
    names: list[str] = []

    def kill(call: Call) -> Answer:
        names.extend(call.query["signal"])
        arrived.set()
        return Answer(204)

    def wait_for_signal(peer: socket.socket) -> None:
        peer.sendall(framed((1, b"ready\n")))
        arrived.wait(10)

    Container(recorder, wait_for_signal, code=143)
    recorder.answers[f"POST /containers/{CONTAINER_ID}/kill"] = kill
    with subprocess.Popen([*program, "run", "b"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143
    assert names == ["TERM"]


def test_without_sig_proxy_an_interrupt_ends_the_client(recorder: Recorder, program: list[str]) -> None:
    def wait_for_end(peer: socket.socket) -> None:
        peer.sendall(framed((1, b"ready\n")))
        peer.recv(1)

    Container(recorder, wait_for_end)
    with subprocess.Popen(
        [*program, "run", "--sig-proxy=false", "b"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == b""


# --- terminals


def spawn(program: list[str], *words: str) -> Any:
    return pexpect.spawn(
        program[0], [*program[1:], *words], timeout=15, dimensions=(30, 90), encoding="utf-8"
    )


def shell(peer: socket.socket) -> None:
    """Greets, echoes what is typed in angle brackets, ends at "q"."""
    peer.sendall(b"hello\r\n")
    while data := peer.recv(100):
        peer.sendall(b"<" + data + b">")
        if b"q" in data:
            return


def end(session: Any) -> int:
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus is not None
    return int(session.exitstatus)


@pytest.mark.parametrize(
    "words", [("run", "-it", "b"), ("attach", "box"), ("exec", "-it", "box", "sh"), ("start", "-ai", "box")]
)
def test_a_terminal_is_raw_and_has_our_size(
    words: tuple[str, ...], recorder: Recorder, program: list[str]
) -> None:
    Container(recorder, shell, code=3, tty=True)
    session = spawn(program, *words)
    session.expect("hello")
    session.send("\x03")
    session.expect("<\x03>")
    session.send("q")
    assert end(session) == 3
    sizes = [call.query for call in recorder.take() if call.path.endswith("/resize")]
    assert sizes[-1] == {"h": ["30"], "w": ["90"]}


def test_a_changed_size_is_passed_on(recorder: Recorder, program: list[str]) -> None:
    changed = threading.Event()

    def resize(call: Call) -> Answer:
        if call.query == {"h": ["41"], "w": ["111"]}:
            changed.set()
        return Answer(200)

    Container(recorder, shell, tty=True)
    recorder.answers[f"POST /containers/{CONTAINER_ID}/resize"] = resize
    session = spawn(program, "run", "-it", "b")
    session.expect("hello")
    session.setwinsize(41, 111)
    assert changed.wait(10)
    session.send("q")
    assert end(session) == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "-it", "b"), 0, ""),
        (("start", "-ai", "box"), 0, ""),
        (("attach", "box"), 1, "read escape sequence"),
        (("exec", "-it", "box", "sh"), 1, "read escape sequence"),
    ],
)
def test_detaching_as_docker_does(
    words: tuple[str, ...], code: int, said: str, recorder: Recorder, program: list[str]
) -> None:
    Container(recorder, shell, tty=True)
    session = spawn(program, *words)
    session.expect("hello")
    session.send("\x10\x11")
    assert end(session) == code
    assert session.before.strip() == said


def test_own_detach_keys(recorder: Recorder, program: list[str]) -> None:
    Container(recorder, shell, tty=True)
    session = spawn(program, "run", "-it", "--detach-keys", "ctrl-a,x", "b")
    session.expect("hello")
    session.send("\x10\x11\x01y")
    session.expect("<\x10\x11\x01y>")
    session.send("\x01x")
    assert end(session) == 0


@pytest.mark.parametrize("ending", ["exit", "term", "detach"])
def test_the_terminal_is_as_it_was_afterwards(ending: str, recorder: Recorder, program: list[str]) -> None:
    Container(recorder, shell, tty=True)
    line = " ".join([*program, "run", "--sig-proxy=false", "-it", "b"])
    session = pexpect.spawn("sh", timeout=15, encoding="utf-8", env={"PS1": "$ ", "PATH": "/usr/bin:/bin"})
    session.sendline("stty -a | tr -d '\\n'; echo; before=$(stty -g)")
    session.sendline(line)
    session.expect("hello")
    if ending == "exit":
        session.send("q")
    elif ending == "detach":
        session.send("\x10\x11")
    else:
        children = Path(f"/proc/{session.pid}/task/{session.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGTERM)
    session.sendline('test "$(stty -g)" = "$before" && echo "as it was"')
    session.expect('[^"]as it was')
    session.sendline("exit")
    session.expect(pexpect.EOF)


def test_no_terminal_no_tty(recorder: Recorder, program: list[str]) -> None:
    done = run(program, "run", "-it", "b")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, b"the input device is not a TTY")
    assert recorder.take() == []
