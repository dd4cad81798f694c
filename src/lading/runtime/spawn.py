"""Starting a keeper."""

import asyncio
import contextlib
import ctypes
import os
import sys

import lading.keeper
from lading.errors import InternalError

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 20.0
# glibc gives memory back to the kernel sooner; a keeper lives long and is mostly idle.
_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"}


def become_subreaper() -> None:
    """Makes orphans of our descendants ours: the containers of a keeper that died."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def exit_code_of_child(pidfd: int) -> int | None:
    """Buries an ended process if it is our child: its exit code, 128 + number for a signal."""
    try:
        found = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return None
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status


async def spawn_keeper(socket_path: str, log_path: str) -> None:
    """Starts a keeper in a session of its own and waits until it listens.

    Raises InternalError with the end of its log where it does not come up.
    """
    directory = os.path.dirname(lading.keeper.__file__)
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
        await _end_of(listening)
    finally:
        os.close(listening)
    if not os.path.exists(socket_path):
        raise InternalError(f"the keeper did not start: {_tail(log_path)}")


def _bury_when_dead(pid: int) -> None:
    loop = asyncio.get_running_loop()
    pidfd = os.pidfd_open(pid)

    def bury() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)

    loop.add_reader(pidfd, bury)


async def _end_of(stream: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(stream, ended.set)
    try:
        async with asyncio.timeout(_PATIENCE):
            await ended.wait()
    except TimeoutError:
        raise InternalError("the keeper does not answer") from None
    finally:
        loop.remove_reader(stream)


def _tail(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return " ".join(file.read()[-400:].split()) or "it said nothing"
    except OSError as error:
        return str(error)
