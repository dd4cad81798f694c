"""Around the commands: global options, help, unknown words, ways to end, and how little is imported."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Outcome
from tests.cli.recorder import Answer, Recorder, as_json

from lading.cli import main
from lading.cli.table import ALIASES, COMMANDS, GROUPS

Run = Callable[..., Outcome]


@pytest.fixture
def bare(capfd: pytest.CaptureFixture[str]) -> Run:
    """`lading` without an address."""

    def run(*words: str) -> Outcome:
        code = main(list(words))
        said = capfd.readouterr()
        return Outcome(code, said.out, said.err)

    return run


def test_an_unknown_command(bare: Run) -> None:
    assert bare("foo") == Outcome(1, "", "lading: 'foo' is not a lading command.\nSee 'lading --help'\n")
    assert "Did you mean 'images'?" in bare("imagse").err


def test_an_unknown_global_flag(bare: Run) -> None:
    outcome = bare("--foo", "ps")
    assert outcome.code == 125
    assert outcome.err.startswith("unknown flag: --foo\n\nUsage:  lading [OPTIONS] COMMAND [ARG...]\n")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_the_overview_names_every_command(words: tuple[str, ...], bare: Run) -> None:
    outcome = bare(*words)
    assert outcome.code == 0
    for name in [*GROUPS, *(name for name in COMMANDS if " " not in name)]:
        assert f"\n  {name} " in outcome.out


@pytest.mark.parametrize("name", [*COMMANDS, *ALIASES])
def test_every_command_has_a_page(name: str, bare: Run) -> None:
    for words in ([*name.split(), "--help"], ["help", *name.split()]):
        outcome = bare(*words)
        assert outcome.code == 0
        assert outcome.out.startswith("Usage:  lading ")


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_shows_its_commands(group: str, bare: Run) -> None:
    assert bare(group).err.startswith(f"Usage:  lading {group} COMMAND\n")
    assert bare(group, "--help").out.startswith(f"Usage:  lading {group} COMMAND\n")
    outcome = bare(group, "nonsense")
    assert (outcome.code, outcome.out) == (1, "")
    assert f"unknown command: lading {group} nonsense" in outcome.err


def test_the_version(bare: Run) -> None:
    assert bare("--version").out.startswith("Lading version ")
    assert bare("-v").code == 0


# --- which engine


@pytest.mark.parametrize("name", ["DOCKER_HOST", "LADING_HOST"])
def test_the_address_comes_from_the_environment(
    name: str, recorder: Recorder, bare: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    monkeypatch.setenv(name, recorder.host)
    recorder.answers["GET /containers/json"] = as_json([])
    assert bare("ps").code == 0


def test_two_addresses_are_one_too_many(bare: Run) -> None:
    assert bare("-H", "unix:///a", "-H", "unix:///b", "ps") == Outcome(1, "", "specify only one -H\n")


def test_nobody_at_the_address(bare: Run) -> None:
    outcome = bare("-H", "unix:///nowhere", "ps")
    assert outcome == Outcome(
        1, "", "Cannot connect to the Lading engine at unix:///nowhere. Is ladingd running?\n"
    )
    assert bare("-H", "unix:///nowhere", "run", "b").code == 125


def test_tls_needs_its_authority(bare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    outcome = bare("-H", "tcp://127.0.0.1:1", "--tlsverify", "ps")
    assert outcome.code == 1
    assert f"could not read --tlscacert {tmp_path}/ca.pem" in outcome.err


@pytest.mark.parametrize(
    ("theirs", "used"), [("1.24", "1.24"), ("1.9", "1.9"), ("1.50", "1.50"), ("1.99", "1.51")]
)
def test_the_older_of_both_versions_is_used(theirs: str, used: str, recorder: Recorder, lading: Run) -> None:
    recorder.api_version = theirs
    recorder.answers["GET /containers/json"] = as_json([])
    lading("ps")
    assert [call.version for call in recorder.take()] == [used]


def test_a_version_can_be_demanded(recorder: Recorder, lading: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_API_VERSION", "1.44")
    recorder.answers["GET /containers/json"] = as_json([])
    lading("ps")
    assert [(call.version, call.path) for call in recorder.calls] == [("1.44", "/containers/json")]


# --- starting an engine

_LADINGD = """\
#!{python}
import socket, sys
print("ladingd here", flush=True)
if {dies}:
    sys.exit("cannot: everything is broken")
listener = socket.socket(socket.AF_UNIX)
listener.bind("{socket}")
listener.listen()
while True:
    peer, _ = listener.accept()
    while head := peer.recv(65536):
        body = b"" if head.startswith(b"HEAD") else b"[]"
        head = "HTTP/1.1 200 OK\\r\\nApi-Version: 1.51\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
        peer.sendall(head.encode() + body)
"""


def _start_lading(tmp_path: Path, dies: bool) -> "subprocess.CompletedProcess[str]":
    """Runs `lading ps` with a default socket, a log and a ladingd of this test's own."""
    program = tmp_path / "bin" / "ladingd"
    program.parent.mkdir()
    socket_path = tmp_path / "lading.sock"
    program.write_text(_LADINGD.format(python=sys.executable, dies=dies, socket=socket_path))
    program.chmod(0o755)
    script = textwrap.dedent(f"""
        import sys
        sys.argv[0] = {str(program.parent / "lading")!r}
        import lading.cli.session, lading.cli.start_engine
        lading.cli.session.DEFAULT_SOCKET = {str(socket_path)!r}
        lading.cli.start_engine.LOG = {str(tmp_path / "log")!r}
        from lading.cli import main
        sys.exit(main(["ps", "-q"]))
    """)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DOCKER_HOST", "LADING_HOST")
    }
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts engines")
def test_root_gets_an_engine_started(tmp_path: Path) -> None:
    done = _start_lading(tmp_path, dies=False)
    try:
        log = tmp_path / "log"
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"lading: the engine was not running; started it (log: {log})\n"
        assert log.read_text() == "ladingd here\n"
    finally:
        _end_listener(tmp_path / "lading.sock")


def _end_listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    os.kill(int.from_bytes(credentials[:4], sys.byteorder), 9)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts engines")
def test_an_engine_that_does_not_start_says_why(tmp_path: Path) -> None:
    done = _start_lading(tmp_path, dies=True)
    assert done.returncode == 1
    assert "could not be started" in done.stderr
    assert "cannot: everything is broken" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# --- ends


def test_a_reader_that_leaves_is_no_drama(recorder: Recorder, program: list[str]) -> None:
    recorder.answers["GET /events"] = Answer(pieces=lambda: (b'{"timeNano":1}\n' for _ in range(100_000)))
    line = " ".join([*program, "events"]) + " | head -1"
    done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30, check=True)
    assert done.stderr == b""


def test_nothing_ever_shows_a_traceback(recorder: Recorder, lading: Run) -> None:
    """An engine that answers nonsense."""
    for body in (b"null", b"[]", b"{}", b'"x"', b"[1]", b'[{"Id":5}]', b"not json"):
        for words in (
            "ps",
            "images",
            "inspect x",
            "port x",
            "logs x",
            "info",
            "version",
            "start -a x",
            "exec x y",
            "events",
        ):
            for path in (
                "/containers/json",
                "/images/json",
                "/containers/x/json",
                "/info",
                "/version",
                "/events",
            ):
                recorder.answers[f"GET {path}"] = Answer(200, body)
            outcome = lading(*words.split())
            assert "Traceback" not in outcome.err + outcome.out


# --- speed

_HEAVY = (
    *("argparse", "asyncio", "collections", "dataclasses", "enum", "http", "inspect", "json", "re"),
    *("signal", "socket", "ssl", "subprocess", "typing", "urllib"),
)


def _imported(recorder: Recorder, *words: str) -> set[str]:
    source = Path(__file__).parents[2] / "src"
    script = f"""
import sys
sys.path.insert(0, {str(source)!r})
from lading.cli import main
main(["-H", {recorder.host!r}, *{list(words)!r}])
sys.stderr.write(" ".join(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "words", [("version",), ("create", "-i", "-e", "A=1", "-v", "/a:/b", "-p", "80:80", "b"), ("stop", "x")]
)
def test_what_is_quick_imports_nothing_slow(words: tuple[str, ...], recorder: Recorder) -> None:
    answer: dict[str, Any] = {"Version": "1", "Os": "linux", "Arch": "amd64", "ApiVersion": "1.50"}
    recorder.answers["GET /version"] = as_json(answer)
    recorder.answers["POST /containers/x/stop"] = Answer(204)
    imported = _imported(recorder, *words)
    assert "lading.client" in imported
    assert imported.isdisjoint(_HEAVY)
