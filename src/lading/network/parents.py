"""Driver options of macvlan and ipvlan networks. Pure.

Source: docker's "Macvlan network driver" and "IPvlan network driver".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lading.errors import InvalidParameter

PARENT = "parent"
_MACVLAN_MODES = ("private", "vepa", "bridge", "passthru")
_IPVLAN_MODES = ("l2", "l3", "l3s")
_IPVLAN_FLAGS = ("bridge", "private", "vepa")
_TAGGED = re.compile(r"(.+)\.([0-9]{1,4})\Z")
_HIGHEST_TAG = 4094


@dataclass(frozen=True, slots=True)
class ParentOptions:
    """The parent link, how interfaces on it treat each other, and ipvlan's flag."""

    parent: str
    mode: str
    flag: str


def parent_options(driver: str, options: Mapping[str, str]) -> ParentOptions:
    """Raises InvalidParameter."""
    parent = options.get(PARENT, "")
    if driver == "macvlan":
        mode = options.get("macvlan_mode", "") or "bridge"
        if mode not in _MACVLAN_MODES:
            raise InvalidParameter(
                f"requested macvlan mode '{mode}' is not valid, 'bridge' mode is the default"
            )
        return ParentOptions(parent, mode, "")
    mode = options.get("ipvlan_mode", "") or "l2"
    flag = options.get("ipvlan_flag", "") or "bridge"
    if mode not in _IPVLAN_MODES:
        raise InvalidParameter(
            f"requested ipvlan mode '{mode}' is not valid, 'l2' mode is the ipvlan driver default"
        )
    if flag not in _IPVLAN_FLAGS:
        raise InvalidParameter(
            f"requested ipvlan flag '{flag}' is not valid, 'bridge' is the ipvlan driver default"
        )
    return ParentOptions(parent, mode, flag)


def tagged(parent: str) -> tuple[str, int] | None:
    """Link and 802.1q tag of a sub-interface's name ("eth0.10"), or None. Raises InvalidParameter."""
    found = _TAGGED.match(parent)
    if found is None:
        return None
    tag = int(found[2])
    if not 0 < tag <= _HIGHEST_TAG:
        raise InvalidParameter(f"vlan id must be between 1-4094, received: {tag}")
    return found[1], tag
