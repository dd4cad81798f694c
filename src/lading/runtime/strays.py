"""OCI runtimes at work for a keeper that died: ended, so that their work can be begun anew."""

import asyncio
import contextlib
import os
import signal

from lading.runtime.spawn import exit_code_of_child

_PATIENCE = 10.0


async def end_strays(word: str) -> None:
    """Kills every process with `word` among its arguments, and waits until it is gone.

    `word` is the path of a pid file, which no other process's arguments hold.
    """
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and _has_argument(int(entry), word):
            await _end(int(entry), word)


def _has_argument(pid: int, word: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return os.fsencode(word) in file.read().split(b"\0")
    except OSError:
        return False


async def _end(pid: int, word: str) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    try:
        # Only now the number cannot pass to another process.
        if not _has_argument(pid, word):
            return
        loop.add_reader(pidfd, gone.set)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        async with asyncio.timeout(_PATIENCE):
            await gone.wait()
        exit_code_of_child(pidfd)
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
