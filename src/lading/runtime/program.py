"""An OCI runtime's program, shown a second time where nobody can write to it.

What runs in a container must never reach the program file by way of
/proc/<pid>/exe (CVE-2019-5736). So crun, unless it finds itself on a read-only
mount or in a sealed memory file, mounts itself read-only and executes that: at
each call anew, which is half the time of a short one. Here the mount is made
once for all calls.
"""

import logging
import os

from lading.linux import mounts

_log = logging.getLogger(__name__)


def protected(program: str, target: str) -> str:
    """Mounts `program` read-only at `target`; the path to call it by.

    That is `program` itself where it cannot be mounted; it then sees to its
    own protection. What an earlier daemon mounted may be an older version and
    is replaced.
    """
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        mounts.unmount_if_mounted(target)
        with open(target, "ab"):
            pass
        mounts.bind(program, target, read_only=True)
    except OSError as error:
        _log.warning("%s cannot be mounted read-only, and will be slower: %s", program, error)
        unprotect(target)
        return program
    return target


def unprotect(target: str) -> None:
    """Takes the mount away; calls under way are not disturbed."""
    try:
        mounts.unmount_if_mounted(target)
        os.unlink(target)
    except OSError as error:
        _log.debug("%s stays: %s", target, error)
