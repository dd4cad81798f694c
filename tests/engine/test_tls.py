"""The API over TCP: with TLS the docker CLI works as it does locally; without, only where asked for."""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, docker_cli


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _tls_flags(certificates: Path) -> list[str]:
    return [
        "--tlsverify",
        f"--tlscacert={certificates}/ca.pem",
        f"--tlscert={certificates}/server.pem",
        f"--tlskey={certificates}/server.key",
    ]


class Remote:
    """The docker CLI of a user who has only the address."""

    def __init__(self, engine: Engine, port: int, flags: list[str]) -> None:
        self.engine = engine
        self.port = port
        self.argv = [docker_cli(), "-H", f"tcp://127.0.0.1:{port}", *flags]
        self.env = {**os.environ, "DOCKER_CONFIG": str(engine.directory / "docker-config")}

    def __call__(self, *words: str, input: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [*self.argv, *words], input=input, capture_output=True, timeout=60, env=self.env, check=False
        )


@pytest.fixture
def remote(new_engine: Callable[..., Engine], certificates: Path) -> Remote:
    port = _free_port()
    engine = new_engine("-H", f"tcp://127.0.0.1:{port}", *_tls_flags(certificates))
    own = [
        "--tlsverify",
        f"--tlscacert={certificates}/ca.pem",
        f"--tlscert={certificates}/client.pem",
        f"--tlskey={certificates}/client.key",
    ]
    return Remote(engine, port, own)


def test_the_docker_cli_over_tls(remote: Remote, certificates: Path) -> None:
    done = remote("run", "--rm", "-i", IMAGE, "sh", "-c", "cat; echo err >&2; exit 3", input=b"through")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"through", b"err\n")
    data = os.urandom(3 << 20)
    assert remote("run", "--rm", "-i", IMAGE, "cat", input=data).stdout == data
    assert remote("run", "-d", "--name", "box", IMAGE, "sh", "-c", "echo log; sleep 100").returncode == 0
    assert remote("exec", "-i", "box", "cat", input=b"exec").stdout == b"exec"
    assert remote("logs", "box").stdout == b"log\n"
    assert remote("rm", "-f", "box").returncode == 0


def test_a_client_over_tls_that_reads_no_past_output_holds_nobody_up(
    remote: Remote, certificates: Path
) -> None:
    # More than all the buffers on the way hold.
    printing = ["sh", "-c", "yes $(printf %0998d 0) | head -n 10000; read x"]
    assert remote("run", "-dit", "--name", "talker", IMAGE, *printing).returncode == 0
    wanted = (b"0" * 998 + b"\r\n") * 10000
    while remote("logs", "talker").stdout != wanted:
        pass
    context = ssl.create_default_context(cafile=f"{certificates}/ca.pem")
    context.load_cert_chain(f"{certificates}/client.pem", f"{certificates}/client.key")
    with contextlib.closing(
        http.client.HTTPSConnection("localhost", remote.port, timeout=10, context=context)
    ) as connection:
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.request("POST", "/containers/talker/attach?logs=1&stdout=1")
        answer = connection.getresponse()
        assert remote("rm", "-f", "talker").returncode == 0
        # What had not been read from the log by then went with the container.
        assert wanted.startswith(answer.read())


def test_strangers_are_refused(remote: Remote, certificates: Path) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", remote.port, timeout=10)) as plain:
        plain.request("GET", "/_ping")
        assert plain.getresponse().status == 400
    for flags in (
        ["--tlsverify", f"--tlscacert={certificates}/ca.pem"],
        [
            "--tlsverify",
            f"--tlscacert={certificates}/ca.pem",
            f"--tlscert={certificates}/stranger.pem",
            f"--tlskey={certificates}/stranger.key",
        ],
    ):
        stranger = Remote(remote.engine, remote.port, flags)
        assert stranger("version").returncode == 1


@pytest.mark.parametrize(
    ("flags", "word"), [([], "--tls=false"), (["--tls"], "--tls --tlsverify=false")], ids=["plain", "tls"]
)
def test_tcp_without_known_clients_needs_a_word(tmp_path: Path, flags: list[str], word: str) -> None:
    engine = Engine(tmp_path, "-H", f"tcp://127.0.0.1:{_free_port()}", *flags)
    try:
        with pytest.raises(
            AssertionError, match=rf"refusing to serve the API on tcp://.*; use --tlsverify, or {word} if"
        ):
            engine.start()
    finally:
        engine.destroy()


def test_tls_for_unknown_clients_at_ones_own_risk(
    new_engine: Callable[..., Engine], certificates: Path
) -> None:
    port = _free_port()
    files = _tls_flags(certificates)[1:]
    engine = new_engine("-H", f"tcp://127.0.0.1:{port}", "--tls", "--tlsverify=false", *files)
    unknown = Remote(engine, port, ["--tls", f"--tlscacert={certificates}/ca.pem"])
    assert unknown("version").returncode == 0
    assert "root" in " ".join(engine.get("/info")["Warnings"])


def test_tcp_without_tls_at_ones_own_risk(new_engine: Callable[..., Engine]) -> None:
    port = _free_port()
    engine = new_engine("-H", f"tcp://127.0.0.1:{port}", "--tls=false")
    plain = Remote(engine, port, [])
    done = plain("run", "--rm", "-i", IMAGE, "sh", "-c", "cat; exit 4", input=b"in the clear")
    assert (done.returncode, done.stdout) == (4, b"in the clear")
    warnings = " ".join(engine.get("/info")["Warnings"])
    assert "without" in warnings
    assert "root" in warnings


def test_an_attached_session_over_plain_tcp_outlives_the_daemon(new_engine: Callable[..., Engine]) -> None:
    port = _free_port()
    engine = new_engine("-H", f"tcp://127.0.0.1:{port}", "--tls=false")
    remote = Remote(engine, port, [])
    session = subprocess.Popen(
        [*remote.argv, "run", "-i", "--rm", IMAGE, "sh", "-c", "cat; exit 5"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=remote.env,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write(b"before\n")
    session.stdin.flush()
    assert session.stdout.readline() == b"before\n"
    # Its start must have been answered: nobody answers that twice.
    time.sleep(0.3)
    engine.kill()
    engine.start()
    out, _ = session.communicate(b"after\n", timeout=30)
    assert (out, session.returncode) == (b"after\n", 5)


def test_unusable_certificates_are_named(tmp_path: Path, certificates: Path) -> None:
    flags = ["--tlsverify", f"--tlscacert={certificates}/ca.pem", "--tlscert=/no/such.pem"]
    engine = Engine(tmp_path, "-H", f"tcp://127.0.0.1:{_free_port()}", *flags)
    try:
        with pytest.raises(AssertionError, match=r"/no/such\.pem") as failure:
            engine.start()
        assert "Traceback" not in str(failure.value)
    finally:
        engine.destroy()
