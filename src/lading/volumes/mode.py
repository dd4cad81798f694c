"""The last part of `source:destination:mode`: words between commas. Pure."""

from msgspec import Struct

_PROPAGATIONS = ("private", "rprivate", "slave", "rslave", "shared", "rshared")
# At most one word of each row may be given.
_WORDS = (
    ("rw", "ro", "ro-non-recursive", "ro-force-recursive", "rro"),
    ("z", "Z"),
    _PROPAGATIONS,
    ("nocopy",),
    ("consistent", "cached", "delegated"),
)
DEFAULT_PROPAGATION = "rprivate"


class Mode(Struct, frozen=True):
    """What a mode says; `propagation` is empty where it says nothing of it."""

    rw: bool = True
    read_only: str = ""
    propagation: str = ""
    copy: bool = True


def is_propagation(word: str) -> bool:
    """Whether it names how mounts spread (mount_namespaces(7))."""
    return word in _PROPAGATIONS


def parse_mode(text: str) -> Mode | None:
    """None for what is no mode."""
    words = text.split(",") if text else []
    chosen = {word: row for row, allowed in enumerate(_WORDS) for word in words if word in allowed}
    if len(chosen) != len(words) or len(set(chosen.values())) != len(words):
        return None
    read_only = ""
    if "ro-non-recursive" in chosen:
        read_only = "non-recursive"
    elif "rro" in chosen or "ro-force-recursive" in chosen:
        read_only = "force-recursive"
    propagation = next((word for word in words if is_propagation(word)), "")
    return Mode("ro" not in chosen and not read_only, read_only, propagation, "nocopy" not in chosen)
