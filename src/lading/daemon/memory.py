"""Keeping the daemon small. Source: mallopt(3), malloc_trim(3), gc in Python's library reference."""

import ctypes
import gc

_M_ARENA_MAX = -8
_libc = ctypes.CDLL(None)


def share_one_heap() -> None:
    """For all threads to come. Each would get a heap of its own, to run side by side as Python's never do."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, 1)


def settle() -> None:
    """To be called once all is set up: gives back what that needed for itself."""
    # What exists now lives as long as the daemon; the collector need not look at it again.
    gc.collect()
    gc.freeze()
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
