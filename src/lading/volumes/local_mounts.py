"""What is mounted on volumes with options, from their first user's start to their last user's end.

Nothing is counted in memory. `<root>/<volume>/<user>` says who uses a volume,
and lies where mounts do not outlive it: both are gone after a reboot, and both are
still there when only the daemon was away.
"""

import ipaddress
import os
import socket
import threading
from collections import defaultdict
from collections.abc import Collection, Mapping

from lading.errors import InternalError
from lading.linux import mounts
from lading.volumes import local_options
from lading.volumes.local_options import LocalMount


class LocalMounts:
    """The mounts of one engine. Any thread."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def mount(self, name: str, path: str, options: Mapping[str, str], user: str) -> None:
        """Blocks, with a network file system for long. Raises InternalError."""
        with self._locks[name]:
            users = f"{self._root}/{name}"
            os.makedirs(users, mode=0o700, exist_ok=True)
            if not _is_mounted(path):
                try:
                    _mount(path, options)
                except InternalError:
                    _drop(users)
                    raise
            os.close(os.open(f"{users}/{user}", os.O_CREAT | os.O_CLOEXEC, 0o600))

    def unmount(self, name: str, path: str, user: str) -> None:
        """May be repeated. Blocks. Raises OSError."""
        users = f"{self._root}/{name}"
        if not os.path.isdir(users):
            return
        with self._locks[name]:
            _drop(f"{users}/{user}")
            self._settle(users, path)

    def _settle(self, users: str, path: str) -> None:
        """Unmounts what has no user left."""
        if os.path.isdir(users) and not os.listdir(users):
            mounts.unmount_if_mounted(path)
            os.rmdir(users)

    def clear(self, name: str, path: str) -> None:
        """Whatever is mounted on a volume that is to go, is mounted no more. Raises OSError."""
        with self._locks[name]:
            users = f"{self._root}/{name}"
            while _is_mounted(path):
                mounts.unmount(path, mounts.UMOUNT_NOFOLLOW | mounts.MNT_DETACH)
            if os.path.isdir(users):
                for user in os.listdir(users):
                    _drop(f"{users}/{user}")
                os.rmdir(users)

    def sweep(self, users: Collection[str], paths: Mapping[str, str]) -> None:
        """Takes away from all but `users`; `paths` holds where each volume is. Raises OSError."""
        used = set()
        for name in os.listdir(self._root) if os.path.isdir(self._root) else ():
            for user in os.listdir(f"{self._root}/{name}"):
                if user not in users:
                    _drop(f"{self._root}/{name}/{user}")
            if name in paths:
                self._settle(f"{self._root}/{name}", paths[name])
            if os.path.isdir(f"{self._root}/{name}"):
                used.add(name)
        mounted = {found.target for found in mounts.table()}
        for name, path in paths.items():
            # Mounted when the daemon was killed, before it could note for whom.
            if name not in used and path in mounted:
                mounts.unmount_if_mounted(path)


def _is_mounted(path: str) -> bool:
    # Not by the device: a bind shows another directory of the same file system.
    return any(found.target == path for found in mounts.table())


def _drop(path: str) -> None:
    try:
        os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
    except OSError:
        # Gone already, or in use by others.
        return


def _mount(path: str, options: Mapping[str, str]) -> None:
    if not options.get("device"):
        raise InternalError("missing device in volume options")
    wanted = _resolved(local_options.local_mount(options))
    try:
        mounts.mount(wanted.device, path, wanted.type, wanted.flags, wanted.data)
    except OSError as error:
        said = _said(wanted, path, error)
        raise InternalError(
            f"failed to mount local volume: {local_options.without_password(said, options)}"
        ) from None
    try:
        if wanted.propagation:
            mounts.mount("", path, flags=wanted.propagation)
        if wanted.remount:
            mounts.mount("", path, flags=wanted.flags | mounts.MS_REMOUNT)
    except OSError as error:
        mounts.unmount_if_mounted(path)
        raise InternalError(f"failed to mount local volume: {_said(wanted, path, error)}") from None


def _said(wanted: LocalMount, path: str, error: OSError) -> str:
    """What the library says that dockerd mounts with."""
    text = f"mount {wanted.device}:{path}"
    if wanted.flags:
        text += f", flags: {wanted.flags:#x}"
    if wanted.data:
        text += f", data: {wanted.data}"
    return f"{text}: {os.strerror(error.errno or 0).lower()}"


def _resolved(wanted: LocalMount) -> LocalMount:
    """With the server's address in the place of its name. Raises InternalError."""
    host = local_options.host_to_resolve(wanted)
    if not host or _is_address(host):
        return wanted
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        said = f"error resolving passed in network volume address: lookup {host}: {error.strerror}"
        raise InternalError(said) from None
    address = str(found[0][4][0])
    data = wanted.data.replace(f"addr={host}", f"addr={address}", 1)
    return LocalMount(wanted.device, wanted.type, wanted.flags, data, wanted.propagation)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
