"""The options of the local driver: what is mounted on a volume's directory. Pure.

Source: dockerd's documentation of `docker volume create`; mount(8) and mount(2) for the words of `o`.
"""

from collections.abc import Mapping

from msgspec import Struct

from lading.errors import InvalidParameter
from lading.units import parse_size

_KNOWN = ("type", "o", "device", "size")
_NEEDED = (("device", ("type",)), ("o", ("device", "type")), ("type", ("device",)))

_READ_ONLY, _BIND, _RECURSIVE = 0x1, 0x1000, 0x4000
# Flags that a word sets, or with a minus in front clears (mount(2)).
_FLAGS = {
    "ro": _READ_ONLY,
    "rw": -_READ_ONLY,
    "nosuid": 0x2,
    "suid": -0x2,
    "nodev": 0x4,
    "dev": -0x4,
    "noexec": 0x8,
    "exec": -0x8,
    "sync": 0x10,
    "async": -0x10,
    "remount": 0x20,
    "mand": 0x40,
    "nomand": -0x40,
    "dirsync": 0x80,
    "noatime": 0x400,
    "atime": -0x400,
    "nodiratime": 0x800,
    "diratime": -0x800,
    "bind": _BIND,
    "rbind": _BIND | _RECURSIVE,
    "relatime": 0x200000,
    "norelatime": -0x200000,
    "strictatime": 0x1000000,
    "nostrictatime": -0x1000000,
}
_PROPAGATIONS = {
    "unbindable": 0x20000,
    "runbindable": 0x20000 | _RECURSIVE,
    "private": 0x40000,
    "rprivate": 0x40000 | _RECURSIVE,
    "slave": 0x80000,
    "rslave": 0x80000 | _RECURSIVE,
    "shared": 0x100000,
    "rshared": 0x100000 | _RECURSIVE,
}


class LocalMount(Struct, frozen=True):
    """One call of mount(2), and what must follow it; `flags` and `propagation` as there."""

    device: str
    type: str
    flags: int = 0
    data: str = ""
    propagation: int = 0

    @property
    def remount(self) -> bool:
        """Whether it becomes read-only only in a second step, as a bind does."""
        return self.flags & (_BIND | _READ_ONLY) == _BIND | _READ_ONLY


def check(options: Mapping[str, str], *, can_limit: bool = False) -> None:
    """Raises InvalidParameter, in dockerd's words."""
    for option in options:
        if option not in _KNOWN:
            raise InvalidParameter(f'invalid option: "{option}"')
    if "size" in options and parse_size(options["size"]) > 0 and not can_limit:
        raise InvalidParameter("quota size requested but no quota support")
    for option, others in _NEEDED:
        for other in others:
            if option in options and other not in options:
                raise InvalidParameter(f'missing required option: "{other}"')


def is_mounted(options: Mapping[str, str]) -> bool:
    """Whether anything is mounted on a volume with such options."""
    return bool(options.get("device") or options.get("type"))


def local_mount(options: Mapping[str, str]) -> LocalMount:
    """What is to be mounted."""
    flags = propagation = 0
    data = []
    for word in options.get("o", "").split(","):
        if word in _PROPAGATIONS:
            propagation = _PROPAGATIONS[word]
        elif word in _FLAGS:
            flag = _FLAGS[word]
            flags = flags & ~-flag if flag < 0 else flags | flag
        elif word not in ("", "defaults"):
            data.append(word)
    return LocalMount(options.get("device", ""), options.get("type", ""), flags, ",".join(data), propagation)


def host_to_resolve(mount: LocalMount) -> str:
    """The server's name, where a network file system is given one that the kernel cannot look up."""
    if mount.type not in ("nfs", "nfs4", "cifs"):
        return ""
    for word in mount.data.split(","):
        name, _, value = word.partition("=")
        if name == "addr":
            return value
    return ""


def without_password(text: str, options: Mapping[str, str]) -> str:
    """A message that may be shown and logged."""
    for word in options.get("o", "").split(","):
        name, _, value = word.partition("=")
        if name == "password" and value:
            text = text.replace(f"password={value}", "password=********")
    return text
