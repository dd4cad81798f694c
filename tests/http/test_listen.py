"""Sockets to listen on: theirs, ours, and what lies in the way."""

import grp
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lading.errors import Conflict, InternalError, InvalidParameter
from lading.http import inherited_sockets, listen_tcp, listen_unix


def test_a_socket_is_for_its_owner_and_group_alone(tmp_path: Path) -> None:
    group = grp.getgrgid(1)
    path = tmp_path / "new" / "engine.sock"
    with listen_unix(str(path), group.gr_name):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == 0o660
        assert (found.st_uid, found.st_gid) == (0, group.gr_gid)


def test_an_unknown_group_is_an_error_and_leaves_no_open_door(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with pytest.raises(InvalidParameter, match="group no-such-group not found"):
        listen_unix(str(path), "no-such-group")
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(OSError):
        probe.connect(str(path))


def test_a_dead_engines_socket_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    listen_unix(path).close()
    assert os.path.exists(path)
    with listen_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def test_a_living_engines_socket_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with listen_unix(path):
        with pytest.raises(Conflict, match="another engine already listens"):
            listen_unix(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_a_file_in_the_way_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("keep me")
    with pytest.raises(InternalError, match="no socket is in its place"):
        listen_unix(str(path))
    assert path.read_text() == "keep me"


def test_a_path_too_long_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = str(tmp_path / ("x" * 200))
    with pytest.raises(InternalError, match="x" * 200):
        listen_unix(path)


def test_tcp_takes_every_address_of_a_name_and_says_why_not() -> None:
    listeners = listen_tcp("localhost", 0)
    try:
        port = next(one for one in listeners if one.family == socket.AF_INET).getsockname()[1]
        with pytest.raises(InternalError, match=f"listen tcp 127.0.0.1:{port}: bind: Address already in use"):
            listen_tcp("127.0.0.1", port)
    finally:
        for listener in listeners:
            listener.close()


_ACTIVATED = """
import asyncio, os
from lading.http import Response, Server, inherited_sockets
os.environ["LISTEN_PID"] = str(os.getpid())
async def handler(request):
    return Response(200, b"activated")
async def main():
    server = Server(handler)
    for listener in inherited_sockets("api"):
        await server.serve(listener)
    print("ready", flush=True)
    await asyncio.to_thread(input)
    await server.close(0)
asyncio.run(main())
"""


def test_sockets_passed_by_systemd_are_served_and_stay(tmp_path: Path) -> None:
    path = str(tmp_path / "activated.sock")
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def pass_on() -> None:
            os.dup2(listener.fileno(), 100)
            os.dup2(other.fileno(), 3)
            os.dup2(100, 4)

        with subprocess.Popen(
            [sys.executable, "-c", _ACTIVATED],
            env=os.environ | {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "metrics:api"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=pass_on,
            close_fds=False,
        ) as engine:
            assert engine.stdout is not None
            assert engine.stdout.readline() == b"ready\n"
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert client.makefile("rb").read().endswith(b"\r\n\r\nactivated")
            engine.communicate(b"\n", timeout=20)
        assert engine.returncode == 0
        assert os.path.exists(path)


def test_without_inherited_sockets_the_error_says_so() -> None:
    with pytest.raises(InvalidParameter, match="socket activation"):
        inherited_sockets()
