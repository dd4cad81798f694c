"""Processes beside the daemon, which outlive it and serve it by a socket: the keeper, the resolver."""

import asyncio
import contextlib
import os
import socket
import sys

from lading.errors import InternalError

_PATIENCE = 20.0
# glibc gives memory back to the kernel sooner; a companion lives long and is mostly idle.
_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"}


async def spawn_companion(name: str, directory: str, socket_path: str, log_path: str) -> None:
    """Starts the program in `directory` in a session of its own and waits until it listens.

    It is told both paths and closes its standard output when it does. Raises
    InternalError with the end of its log where it does not come up.
    """
    argv = [sys.executable, "-I", "-S", f"{directory}/__main__.py", socket_path, log_path]
    listening, begun = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            pid = os.posix_spawn(
                sys.executable,
                argv,
                {"PATH": os.environ.get("PATH", os.defpath), **_MEMORY},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, begun, 1),
                    (os.POSIX_SPAWN_DUP2, log, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(begun)
            os.close(log)
        _bury_when_dead(pid)
        await _end_of(name, listening)
    finally:
        os.close(listening)
    if not os.path.exists(socket_path):
        raise InternalError(f"the {name} did not start: {_tail(log_path)}")


def connect_companion(path: str, kind: socket.SocketKind) -> socket.socket:
    """Connects to its socket. Raises OSError where nobody listens."""
    connection = socket.socket(socket.AF_UNIX, kind)
    # By way of a descriptor, since the address has room for 107 bytes of path only.
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(directory)
    return connection


def _bury_when_dead(pid: int) -> None:
    loop = asyncio.get_running_loop()
    pidfd = os.pidfd_open(pid)

    def bury() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)

    loop.add_reader(pidfd, bury)


async def _end_of(name: str, stream: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(stream, ended.set)
    try:
        async with asyncio.timeout(_PATIENCE):
            await ended.wait()
    except TimeoutError:
        raise InternalError(f"the {name} does not answer") from None
    finally:
        loop.remove_reader(stream)


def _tail(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return " ".join(file.read()[-400:].split()) or "it said nothing"
    except OSError as error:
        return str(error)
