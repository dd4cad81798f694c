"""The driver "local": directories of this machine, with what their options mount on them."""

import logging
from collections.abc import Callable, Collection, Mapping

from lading.errors import InternalError
from lading.volumes import local_options
from lading.volumes.directories import Directories
from lading.volumes.local_mounts import LocalMounts
from lading.volumes.record import DRIVER

_log = logging.getLogger(__name__)


class LocalDriver:
    """A `contract.Driver`."""

    name = DRIVER
    scope = "local"

    def __init__(
        self,
        directories: Directories,
        mounted: LocalMounts,
        delete: Callable[[Collection[str]], None],
        lay_by: Callable[[], None] = lambda: None,
    ) -> None:
        """`delete` removes whole trees, and `lay_by` makes directories ready, later."""
        self._directories = directories
        self._mounted = mounted
        self._delete = delete
        self._lay_by = lay_by

    def check(self, options: Mapping[str, str]) -> None:
        """Raises InvalidParameter."""
        local_options.check(options)

    def create(self, name: str, options: Mapping[str, str]) -> None:
        """Raises InternalError."""
        try:
            garbage = self._directories.make(name)
        except OSError as error:
            raise InternalError(str(error)) from None
        self._lay_by()
        if garbage is not None:
            self._delete([garbage])

    def remove(self, name: str) -> None:
        """What cannot be unmounted stays as it is, garbage until the next start."""
        try:
            self._mounted.clear(name, self._directories.data(name))
            aside = self._directories.set_aside(name)
        except OSError as error:
            _log.warning("cannot remove volume %s: %s", name, error)
            return
        if aside is not None:
            self._delete([aside])

    def path(self, name: str) -> str:
        return self._directories.data(name)

    def is_ready(self, options: Mapping[str, str]) -> bool:
        return not local_options.is_mounted(options)

    def mount(self, name: str, options: Mapping[str, str], user: str) -> None:
        """Blocks. Raises InternalError."""
        if local_options.is_mounted(options):
            self._mounted.mount(name, self.path(name), options, user)

    def unmount(self, name: str, user: str) -> None:
        """Blocks. May be repeated."""
        try:
            self._mounted.unmount(name, self.path(name), user)
        except OSError as error:
            _log.warning("cannot unmount volume %s: %s", name, error)

    def sweep(self, volumes: Collection[str], users: Collection[str]) -> None:
        """Raises OSError."""
        paths = {name: self.path(name) for name in self._directories.names()}
        self._mounted.sweep(users, paths)
        kept = set(volumes)
        for name in paths:
            try:
                if name not in volumes:
                    self._mounted.clear(name, paths[name])
            except OSError as error:
                _log.warning("cannot unmount %s, which is no volume: %s", paths[name], error)
                kept.add(name)
        self._delete(self._directories.garbage(kept))
