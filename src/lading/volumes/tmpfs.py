"""Options of file systems in memory. Pure."""

from collections.abc import Sequence

from lading.errors import InvalidParameter
from lading.schema.container import TmpfsOptions

_DEFAULTS = ("noexec", "nosuid", "nodev", "rprivate")
_VALUES = ("size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol")
# Flags that exclude each other; of each row the last one given counts.
_FLAGS = (
    ("exec", "noexec"),
    ("suid", "nosuid"),
    ("dev", "nodev"),
    ("ro", "rw"),
    ("sync", "async"),
    ("dirsync",),
    ("mand", "nomand"),
    ("atime", "noatime"),
    ("diratime", "nodiratime"),
    ("relatime", "norelatime"),
    ("strictatime", "nostrictatime"),
    ("remount",),
    ("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"),
)
_ROW = {flag: row for row, flags in enumerate(_FLAGS) for flag in flags}


def merge(asked: Sequence[str]) -> list[str]:
    """The engine's options with the user's over them, each said once. Raises InvalidParameter."""
    chosen: dict[int | str, str] = {}
    for option in (*_DEFAULTS, *asked):
        if option in ("", "defaults"):
            continue
        name, separator, value = option.partition("=")
        if option in _ROW:
            key: int | str = _ROW[option]
        elif separator and name in _VALUES:
            key = name
        else:
            words = " ".join(part for part in (name, value) if part)
            raise InvalidParameter(f'invalid tmpfs option ["{words}"]')
        chosen.pop(key, None)
        chosen[key] = option
    return list(chosen.values())


def from_mount(options: TmpfsOptions | None, *, read_only: bool) -> list[str]:
    """What `--mount type=tmpfs` asks for, as mount options. Raises InvalidParameter."""
    words = ["ro"] if read_only else []
    if options is None:
        return words
    if options.mode:
        words.append(f"mode={options.mode:o}")
    if options.size_bytes:
        words.append(f"size={options.size_bytes}")
    for option in options.options or []:
        if not 1 <= len(option) <= 2:
            raise InvalidParameter("invalid option array length")
        if option[0] not in ("exec", "noexec"):
            raise InvalidParameter(f"invalid option: {option[0]}")
        words.append("=".join(option))
    return words
