"""Which capabilities a container's process has. Pure.

Source: capabilities(7), linux/capability.h.
"""

from collections.abc import Collection, Iterable

from lading.errors import InvalidParameter

ALL = tuple(
    f"CAP_{name}"
    for name in """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
    SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
    AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
    PERFMON BPF CHECKPOINT_RESTORE""".split()
)
"""In the kernel's order (linux/capability.h): the position is the number."""

DEFAULT = frozenset(
    f"CAP_{name}"
    for name in """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP
    NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE""".split()
)
"""What docker grants unless told otherwise."""


def granted(
    add: Iterable[str] | None, drop: Iterable[str] | None, *, privileged: bool, known: Collection[str]
) -> list[str]:
    """The capabilities after --cap-add and --cap-drop, in the kernel's order.

    `known` are those the engine itself has; it can grant no others. Raises
    InvalidParameter for a name that is none.
    """
    available = [name for name in ALL if name in known]
    if privileged:
        return available
    added, dropped = frozenset(normalize(add)), frozenset(normalize(drop))
    if "ALL" in added:
        chosen = frozenset(available) - dropped
    elif "ALL" in dropped:
        chosen = added
    else:
        chosen = (DEFAULT - dropped) | added
    return [name for name in available if name in chosen]


def normalize(names: Iterable[str] | None) -> list[str]:
    """`CAP_X` for "x", "CAP_X" and the like; "ALL" stays. Raises InvalidParameter."""
    return [_normal(name) for name in names or ()]


def _normal(given: str) -> str:
    name = given.upper()
    if name == "ALL":
        return name
    name = name if name.startswith("CAP_") else f"CAP_{name}"
    if name not in ALL:
        raise InvalidParameter(f'unknown capability: "{name}"')
    return name


def from_mask(mask: int) -> frozenset[str]:
    """The names of a set of capabilities as the kernel shows it: a bit for each."""
    return frozenset(name for number, name in enumerate(ALL) if mask >> number & 1)


def check_capabilities(add: Iterable[str] | None, drop: Iterable[str] | None, known: Collection[str]) -> None:
    """Raises InvalidParameter for a capability that does not exist, or that the engine cannot grant."""
    for option, names in (("CapAdd", add), ("CapDrop", drop)):
        try:
            missing = [name for name in normalize(names) if name != "ALL" and name not in known]
        except InvalidParameter as error:
            raise InvalidParameter(f"invalid {option}: {error.message}") from None
        if missing and option == "CapAdd":
            raise InvalidParameter(
                f"invalid {option}: capability not supported by your kernel or not available "
                f'in the current environment: "{missing[0]}"'
            )
