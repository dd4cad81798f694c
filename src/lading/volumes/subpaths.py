"""Mounting a part of a volume, or a directory without what is mounted below it.

What is in a volume belongs to containers, which may swap a directory for a
symbolic link at any moment. So the part is opened confined to the volume and
bound to a place of ours, and the OCI runtime gets that place.
"""

import errno
import os
from collections.abc import Collection

from lading.errors import InvalidParameter
from lading.linux import mounts
from lading.linux.confined import open_in_root


class Subpaths:
    """The bound parts: `<root>/<container>/<number>`."""

    def __init__(self, root: str) -> None:
        self._root = root

    def bind(self, container_id: str, number: int, data: str, subpath: str) -> str:
        """Where `subpath` of the volume at `data` is now to be found. Raises InvalidParameter, OSError."""
        volume = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            part = open_in_root(volume, os.fsencode(subpath), os.O_PATH)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            raise InvalidParameter(f"cannot access path {data}/{subpath}: {error.strerror}") from None
        finally:
            os.close(volume)
        try:
            return self._bind(part, f"{self._root}/{container_id}", number)
        finally:
            os.close(part)

    def alone(self, container_id: str, number: int, source: str) -> str:
        """Where `source` is now to be found without what is mounted below it. Raises OSError.

        crun 1.8 takes that along however it is asked.
        """
        part = os.open(source, os.O_PATH | os.O_CLOEXEC)
        try:
            return self._bind(part, f"{self._root}/{container_id}", number)
        finally:
            os.close(part)

    def _bind(self, part: int, directory: str, number: int) -> str:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        source, target = f"/proc/self/fd/{part}", f"{directory}/{number}"
        mounts.unmount_if_mounted(target)
        if os.path.isdir(source):
            os.makedirs(target, exist_ok=True)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC, 0o600))
        mounts.bind(source, target)
        return target

    def release(self, container_id: str) -> None:
        """Takes a container's away; may be repeated. Raises OSError."""
        directory = f"{self._root}/{container_id}"
        if not os.path.isdir(directory):
            return
        for name in os.listdir(directory):
            target = f"{directory}/{name}"
            mounts.unmount_if_mounted(target)
            if os.path.isdir(target):
                os.rmdir(target)
            else:
                os.unlink(target)
        os.rmdir(directory)

    def sweep(self, live: Collection[str]) -> None:
        """Takes away those of containers that do not exist."""
        if os.path.isdir(self._root):
            for container_id in os.listdir(self._root):
                if container_id not in live:
                    self.release(container_id)
