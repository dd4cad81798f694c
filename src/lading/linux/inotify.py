"""Watching directories for changes. Source: inotify(7)."""

import ctypes
import os
import struct
from typing import NamedTuple

MODIFY, MOVED_TO, CREATE, DELETE = 0x2, 0x80, 0x100, 0x200
ONLYDIR = 0x01000000
OVERFLOW, IGNORED = 0x4000, 0x8000

_EVENT = struct.Struct("iIII")
_BUFFER = 64 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """A change: `watch` is -1 where events were lost, `name` empty where the directory itself is meant."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One inotify instance, of which a user may only have some hundred (fs.inotify.max_user_instances)."""

    def __init__(self) -> None:
        """Raises OSError."""
        self.descriptor = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, path: str, mask: int) -> int:
        """Watches `path`; a path watched already keeps its number. Raises OSError."""
        return _checked(_libc.inotify_add_watch(self.descriptor, os.fsencode(path), ctypes.c_uint32(mask)))

    def remove(self, watch: int) -> None:
        """Stops watching; does nothing where the kernel has done so already."""
        _libc.inotify_rm_watch(self.descriptor, watch)

    def read(self) -> list[Event]:
        """What has happened; empty where nothing has. Raises OSError."""
        try:
            data = os.read(self.descriptor, _BUFFER)
        except BlockingIOError:
            return []
        events = []
        position = 0
        while position < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size
            events.append(Event(watch, mask, os.fsdecode(data[position : position + length].rstrip(b"\0"))))
            position += length
        return events

    def close(self) -> None:
        """Ends all watches."""
        os.close(self.descriptor)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
