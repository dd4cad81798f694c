"""Namespaces: those of networks, kept alive by a bind mount, and one of mounts for a thread.

Source: namespaces(7), network_namespaces(7), mount_namespaces(7), unshare(2), setns(2).
"""

import ctypes
import os
import threading
from collections.abc import Callable
from typing import TypeVar

from lading.linux import mounts

CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x20000

T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)


def create_netns(path: str, prepare: Callable[[], T]) -> T:
    """Makes a network namespace, keeps it at `path`, and runs `prepare` inside.

    The calling thread stays in the new namespace; see `in_own_thread`. The
    result is that of `prepare`. Nothing is left at `path` where it fails.
    Raises OSError.
    """
    _check(_libc.unshare(CLONE_NEWNET), "unshare")
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    try:
        mounts.bind("/proc/thread-self/ns/net", path)
        return prepare()
    except BaseException:
        delete_netns(path)
        raise


def enter_netns(path: str) -> None:
    """Moves the calling thread into the namespace at `path`. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(descriptor, CLONE_NEWNET), f"enter {path}")
    finally:
        os.close(descriptor)


def delete_netns(path: str) -> None:
    """Lets go of the namespace at `path`; it ends with its last process. May be repeated.

    Raises OSError.
    """
    mounts.unmount_if_mounted(path)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def own_mounts() -> None:
    """Gives the calling thread mounts that nobody else sees; they go with the thread. Raises OSError."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    mounts.make_private("/")


def in_own_thread(work: Callable[[], T]) -> T:
    """Runs `work` in a thread that ends afterwards, so that no other work finds itself in its namespace."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="namespace")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def write_sysctl(name: str, value: str) -> None:
    """Sets a kernel parameter of the calling thread's network namespace.

    Dots separate the parts; a slash inside a part stands for a dot there, as in
    sysctl.conf(5). Raises OSError.
    """
    path = "/proc/sys/" + name.translate(_SYSCTL)
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def read_sysctl(name: str) -> str:
    """A kernel parameter of the calling thread's network namespace. Raises OSError."""
    with open("/proc/sys/" + name.translate(_SYSCTL)) as file:
        return file.read().strip()


_SYSCTL = str.maketrans("./", "/.")


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
