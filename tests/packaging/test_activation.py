"""ladingd as systemd starts it: sockets handed to it, and told when it is ready and when it stops."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.engine import Engine


@pytest.fixture
def activated(tmp_path: Path) -> Iterator[tuple[Engine, socket.socket]]:
    """An engine on an inherited socket, and the socket on which it tells its state."""
    engine = Engine(tmp_path / "engine")
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(str(tmp_path / "notify"))
    notices.settimeout(20)
    with socket.socket(socket.AF_UNIX) as listener, open(engine.directory / "log", "wb") as log:
        listener.bind(str(engine.socket))
        listener.listen()
        # systemd's convention (sd_listen_fds(3)): descriptors from 3 on, meant for one process.
        engine.process = subprocess.Popen(
            ["sh", "-c", 'exec 3<&0 </dev/null; LISTEN_PID=$$ exec "$@"', "sh", *_command(engine)],
            stdin=listener.fileno(),
            stdout=log,
            stderr=log,
            env={**os.environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
    yield engine, notices
    notices.close()
    engine.destroy()


def _command(engine: Engine) -> list[str]:
    (engine.directory / "daemon.json").write_text("{}")
    return [
        str(Path(sys.executable).parent / "ladingd"),
        "--host=fd://",
        f"--data-root={engine.data_root}",
        f"--exec-root={engine.exec_root}",
        f"--pidfile={engine.directory}/pid",
        f"--config-file={engine.directory}/daemon.json",
        f"--bridge={engine.bridge}",
        f"--bip={engine.subnet}.1/24",
    ]


def test_an_inherited_socket_is_served_and_outlives_the_daemon(
    activated: tuple[Engine, socket.socket],
) -> None:
    engine, notices = activated
    assert notices.recv(4096) == b"READY=1", engine.log()
    assert engine.api("GET", "/_ping")[0] == 200
    assert engine.stop() == 0
    assert notices.recv(4096) == b"STOPPING=1"
    assert engine.socket.exists(), "the socket is systemd's: whoever connects starts the daemon again"


def test_an_inherited_port_is_served_to_known_clients_only(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "engine")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refused = subprocess.run(
            ["sh", "-c", 'exec 3<&0 </dev/null; LISTEN_PID=$$ exec "$@"', "sh", *_command(engine)],
            stdin=listener.fileno(),
            capture_output=True,
            env={**os.environ, "LISTEN_FDS": "1"},
            timeout=30,
            check=False,
        )
    engine.destroy()
    assert refused.returncode == 1
    assert b"refusing to serve the API on fd:// without TLS" in refused.stderr
