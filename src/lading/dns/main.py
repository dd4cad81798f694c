"""How the resolver begins and ends: its place among the processes, its socket, its log."""

from __future__ import annotations

import fcntl
import gc
import os
import resource
import signal
import socket
import sys
import time

from lading.dns.loop import Loop
from lading.dns.server import Server

_BACKLOG = 16
_LOCK_ATTEMPTS, _LOCK_PAUSE = 300, 0.01


def main(path: str, log: str) -> None:
    """Serves until it has no sandbox and nobody is connected, or a daemon ends it."""
    _settle(log)
    listener = _listen(path)
    loop = Loop()
    Server(loop, listener)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # The daemon waits for the end of this stream to know that it may connect.
    os.dup2(0, 1)
    gc.collect()
    gc.freeze()
    loop.run()
    try:
        os.unlink(os.path.basename(path))
    except FileNotFoundError:
        pass


def _settle(log: str) -> None:
    """Takes its place: own log, no terminal's signals, one for one socket, hard to kill."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _lock(file)
    os.dup2(file, 2)
    os.chdir(os.path.dirname(log))
    os.umask(0o077)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    _try_write("/proc/self/comm", "lading-dns")
    _try_write("/proc/self/oom_score_adj", "-500")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _try_write(path: str, text: str) -> None:
    """Tells the kernel something it may refuse."""
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError:
        pass


def _lock(file: int) -> None:
    """One resolver for one log, and so for one socket. One that is just ending is waited for."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
    sys.exit("another resolver is running")


def _listen(path: str) -> socket.socket:
    # Relative to the working directory: a longer path than 107 bytes has no room in an address.
    name = os.path.basename(path)
    try:
        os.unlink(name)
    except FileNotFoundError:
        pass
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(name)
    listener.listen(_BACKLOG)
    return listener
