"""One daemon per root: the lock and the PID file."""

import fcntl
import os

from lading.errors import Conflict, InternalError
from lading.paths import Layout


class RootLock:
    """Held for the life of the daemon; the kernel lets go of it however that ends."""

    def __init__(self, layout: Layout) -> None:
        """Raises Conflict where another daemon holds either root."""
        self._files = [
            _lock(layout.lock, f"data root {layout.data_root}", "--data-root"),
            _lock(f"{layout.exec_root}/lock", f"exec root {layout.exec_root}", "--exec-root"),
        ]

    def release(self) -> None:
        for descriptor in self._files:
            os.close(descriptor)


def _lock(path: str, what: str, flag: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise Conflict(
            f"the {what} is in use by another ladingd (process {holder}); "
            f"stop it, or give this one a root of its own with {flag}"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


class PidFile:
    """Names the running daemon to other programs."""

    def __init__(self, path: str) -> None:
        """Raises InternalError where the file cannot be written."""
        self._path = path
        try:
            with open(path, "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        except OSError as error:
            raise InternalError(f"cannot write the PID file {path}: {error.strerror}") from None

    def remove(self) -> None:
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
