"""Two files that change places in one step. Source: renameat2(2), RENAME_EXCHANGE (Linux 3.15)."""

import ctypes
import os

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: str, other: str) -> None:
    """Each gets the name of the other; both must be on one file system. Raises OSError."""
    done = _libc.renameat2(
        _AT_FDCWD,
        ctypes.c_char_p(os.fsencode(one)),
        _AT_FDCWD,
        ctypes.c_char_p(os.fsencode(other)),
        ctypes.c_uint(_RENAME_EXCHANGE),
    )
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"exchange {one} and {other}: {os.strerror(code)}")
