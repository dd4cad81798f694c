"""Child processes: those we spawn, those the OCI runtime leaves to us, those of a dead keeper."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import time
from collections.abc import Callable, Mapping, Sequence

from lading.keeper.loop import BROKEN, READ, Loop, survive

Ended = Callable[[int], None]
"""ended(code): the exit code, 128 + number for a signal."""

UNKNOWN = -1
"""Stands for the code of a process whose end nobody could learn."""

# include/uapi/linux/pidfd.h: _IOWR(0xFF, 11, struct pidfd_info), first published size of 64 bytes;
# the exit status is there once the process was reaped (Linux 6.15).
_PIDFD_GET_INFO = 0xC040FF0B
_PIDFD_INFO_EXIT = 1 << 3
# What we or Python's start ignore, and a program would go on ignoring.
_RESET = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)


class Children:
    """Reaps whatever ends and tells whoever asked."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._followed: dict[int, Ended] = {}
        self._strangers: dict[int, int] = {}
        self._expecting = 0
        loop.on_signal(signal.SIGCHLD, self.reap)

    def spawn(
        self, argv: list[str], env: Mapping[str, str], stdio: Sequence[int], ended: Ended | None = None
    ) -> int:
        """Starts a program with the three descriptors `stdio` and no other; its process id.

        Raises OSError where it cannot be started.
        """
        actions = [(os.POSIX_SPAWN_DUP2, source, number) for number, source in enumerate(stdio)]
        pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions, setsigdef=_RESET)
        if ended is not None:
            self._followed[pid] = ended
        return pid

    def follow(self, pid: int, ended: Ended) -> None:
        """Calls `ended` when the child `pid` ends: at once where it already has."""
        early = self._strangers.pop(pid, None)
        if early is not None and not _is_ours(pid):
            ended(early)
            return
        self._followed[pid] = ended
        self._confirm(pid, 0.005)

    def _confirm(self, pid: int, pause: float) -> None:
        """crun leaves a container to a helper that has yet to exit: only then is it our child."""
        if pid not in self._followed or _is_ours(pid):
            return
        if os.path.exists(f"/proc/{pid}"):
            self._loop.after(pause, lambda: self._confirm(pid, min(2 * pause, 1.0)))
            return
        # Buried by somebody else.
        self._followed.pop(pid)(UNKNOWN)

    def expect(self) -> None:
        """Until `settle`, ends of unknown children are remembered: one may be what a runtime started."""
        self._expecting += 1

    def settle(self) -> None:
        """Takes one `expect` back."""
        self._expecting -= 1
        if not self._expecting:
            self._strangers.clear()

    def reap(self) -> None:
        """Buries every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            code = _code(status)
            ended = self._followed.pop(pid, None)
            if ended is not None:
                survive(ended, code)
            elif self._expecting:
                self._strangers[pid] = code


class Foreigner:
    """The end of a process that is nobody's child here: adopted after another keeper's death."""

    # For the time a parent may take to reap it, or the daemon to tell.
    _PATIENCE = 10.0

    def __init__(self, loop: Loop, pidfd: int, ended: Ended) -> None:
        self._loop = loop
        self._pidfd = pidfd
        self._ended: Ended | None = ended
        self._deadline = 0.0
        loop.watch(pidfd, READ, self._ready)

    def _ready(self, events: int) -> None:
        code = exit_code(self._pidfd)
        if code is None and not self._deadline:
            # Dead, but a zombie of a parent elsewhere: the code comes with the burial.
            self._deadline = time.monotonic() + self._PATIENCE
            self._loop.change(self._pidfd, 0)
            self._ask_again()
        elif code is not None:
            self.tell(code)
        elif events & BROKEN:
            # Reaped, and this kernel keeps no code; only the daemon can still know it.
            self._loop.unwatch(self._pidfd)

    def _ask_again(self) -> None:
        if self._ended is None:
            return
        code = exit_code(self._pidfd)
        if code is not None:
            self.tell(code)
        elif time.monotonic() > self._deadline:
            self.tell(UNKNOWN)
        else:
            self._loop.after(0.05, self._ask_again)

    def tell(self, code: int) -> None:
        """The exit code, whoever found it out; later ones are ignored."""
        ended, self._ended = self._ended, None
        if ended is not None:
            self._loop.unwatch(self._pidfd)
            ended(code)


def exit_code(pidfd: int) -> int | None:
    """The exit code of a reaped process, where the kernel keeps it with the descriptor."""
    info = bytearray(64)
    struct.pack_into("Q", info, 0, _PIDFD_INFO_EXIT)
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, info)
    except OSError:
        return None
    if not struct.unpack_from("Q", info)[0] & _PIDFD_INFO_EXIT:
        return None
    return _code(struct.unpack_from("i", info, 60)[0])


def _is_ours(pid: int) -> bool:
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
