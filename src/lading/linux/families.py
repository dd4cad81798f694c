"""A process with all that it has started, to be ended together."""

import os
import signal
from contextlib import suppress


def kill(pid: int, pidfd: int) -> None:
    """Kills process `pid`, which `pidfd` is of, and what descends from it or is of its session.

    Nothing happens where it has ended. Processes that have both left its session and
    lost their parent are not found.
    """
    try:
        # As long as it is stopped, nobody else can get its number.
        signal.pidfd_send_signal(pidfd, signal.SIGSTOP)
    except ProcessLookupError:
        return
    known = {pid}
    while fresh := _members(pid, known):
        for member in fresh:
            _send(member, signal.SIGSTOP)
        known |= fresh
    for member in known - {pid}:
        _send(member, signal.SIGKILL)
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _members(leader: int, known: set[int]) -> set[int]:
    """Processes of the family that are not known yet."""
    return {
        pid
        for pid, (parent, session) in _table().items()
        if pid not in known and (parent in known or session == leader)
    }


def _table() -> dict[int, tuple[int, int]]:
    """Parent and session of every process (proc(5), /proc/pid/stat)."""
    table = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                # The name may contain anything, parentheses too.
                fields = file.read().rpartition(b")")[2].split()
                table[int(name)] = int(fields[1]), int(fields[3])
    return table


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
