"""Child processes by posix_spawn and pidfd.

asyncio's own subprocesses fork (12 ms at 330 MB against 1.2 ms) or start a
thread per child on Python 3.11; see docs/decisions.md.
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """How a child ended: its exit code (128 + number for a signal) and its output."""

    code: int
    stdout: bytes
    stderr: bytes


async def run(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Result:
    """Runs a child to its end, killing it after `timeout` seconds or if cancelled.

    Output goes through memory files, so a child that prints without end cannot
    block on us. Raises OSError where it cannot be started and TimeoutError
    where it took too long.
    """
    files = [os.memfd_create(name, os.MFD_CLOEXEC) for name in ("stdin", "stdout", "stderr")]
    try:
        os.pwrite(files[0], stdin, 0)
        actions = [(os.POSIX_SPAWN_DUP2, file, descriptor) for descriptor, file in enumerate(files)]
        child = os.posix_spawnp(
            argv[0],
            list(argv),
            os.environ if env is None else env,
            file_actions=actions,
            setsigdef=_DEFAULTED,
        )
        code = await wait(child, timeout)
        return Result(code, _content(files[1]), _content(files[2]))
    finally:
        for file in files:
            os.close(file)


# SIGPIPE and SIGXFSZ are ignored by Python itself, and a child would inherit that.
_DEFAULTED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


async def wait(pid: int, timeout: float | None = None) -> int:
    """The exit code of our own child `pid`; kills it when cancelled or too slow."""
    descriptor = os.pidfd_open(pid)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(timeout):
            await ended.wait()
    except BaseException:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        raise
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        code = _exit_code(os.waitpid(pid, 0)[1])
    return code


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
