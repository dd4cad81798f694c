"""How the keeper begins and ends: its place among the processes, its socket, its log."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import resource
import signal
import socket
import sys
import time

from lading.keeper.loop import Loop, say, try_write
from lading.keeper.server import Server
from lading.keeper.upgrade import read_state, resume, upgrade

_PR_SET_CHILD_SUBREAPER = 36
_BACKLOG = 16
_LOCK_ATTEMPTS, _LOCK_PAUSE = 300, 0.01


def main(arguments: list[str]) -> None:
    """Serves until it holds nothing and nobody is connected."""
    path, log = arguments[:2]
    state = read_state(int(arguments[2])) if len(arguments) > 2 else None
    if state is None:
        _settle(log)
        listener = _listen(path)
    else:
        _resettle()
        listener = socket.socket(fileno=state["listener"])
    loop = Loop()
    server = Server(loop, listener, lambda asker, number: upgrade(server, arguments[:2], asker, number))
    loop.on_signal(signal.SIGTERM, lambda: _asked_to_stop(loop, server))
    if state is not None:
        resume(server, state)
    # The daemon waits for the end of this stream to know that it may connect.
    os.dup2(0, 1)
    gc.collect()
    gc.freeze()
    loop.run()
    os.unlink(os.path.basename(path))


def _asked_to_stop(loop: Loop, server: Server) -> None:
    if server.keeper.idle:
        loop.stop()
    else:
        say("asked to stop, but containers run: staying")


def _settle(log: str) -> None:
    """Takes its place: own log, no terminal's signals, parent of what the runtime leaves, hard to kill."""
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _lock(file)
    os.dup2(file, 2)
    os.chdir(os.path.dirname(log))
    os.umask(0o022)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _resettle()
    try_write("/proc/self/oom_score_adj", "-500")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _lock(file: int) -> None:
    """One keeper for one log, and so for one socket. One that is just ending is waited for."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
    sys.exit("another keeper is running")


def _resettle() -> None:
    """What exec(2) does not keep."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    try_write("/proc/self/comm", "lading-keeper")


def _listen(path: str) -> socket.socket:
    # Relative to the working directory: a longer path than 107 bytes has no room in an address.
    name = os.path.basename(path)
    try:
        os.unlink(name)
    except FileNotFoundError:
        pass
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(name)
    os.chmod(name, 0o600)
    listener.listen(_BACKLOG)
    return listener
