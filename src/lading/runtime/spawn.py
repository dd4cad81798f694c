"""Starting a keeper, and burying what dead ones left to us."""

import ctypes
import os

import lading.keeper
from lading.aio.companion import spawn_companion

_PR_SET_CHILD_SUBREAPER = 36


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
    """Starts a keeper and waits until it listens. Raises InternalError where it does not come up."""
    await spawn_companion("keeper", os.path.dirname(lading.keeper.__file__), socket_path, log_path)
