"""Device files of a container, and which devices its cgroup lets it use. Pure.

Source: runtime-spec 1.2, config-linux.md, "Devices" and "Device whitelist".
"""

import re
from collections.abc import Sequence
from typing import Any

from lading.errors import InvalidParameter
from lading.runtime.spec.request import DeviceNode
from lading.schema.container import HostConfig
from lading.units import parse_whole

_RULE = re.compile(r"([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})\Z")
_ACCESS = re.compile(r"[rwm]{1,3}\Z")

_DEFAULT: list[dict[str, Any]] = [
    {"allow": False, "access": "rwm"},
    # Any node may be made, so that archives unpack; using it is another matter.
    {"allow": True, "type": "c", "access": "m"},
    {"allow": True, "type": "b", "access": "m"},
    *(
        {"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
        # null, zero, full, random, urandom, tty, console, ptmx
        for major, minor in ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2))
    ),
    # Terminals.
    {"allow": True, "type": "c", "major": 136, "access": "rwm"},
]


def device_nodes(nodes: Sequence[DeviceNode]) -> list[dict[str, Any]]:
    """The `linux.devices` list: what is made beyond the nodes every container has."""
    return [
        {
            "path": node.path,
            "type": node.kind,
            "major": node.major,
            "minor": node.minor,
            "fileMode": node.mode,
            "uid": node.uid,
            "gid": node.gid,
        }
        for node in nodes
    ]


def device_rules(host: HostConfig, nodes: Sequence[DeviceNode]) -> list[dict[str, Any]]:
    """The `linux.resources.devices` list. Raises InvalidParameter for a bad `--device-cgroup-rule`."""
    if host.privileged:
        return [{"allow": True, "access": "rwm"}]
    named = [
        {"allow": True, "type": node.kind, "major": node.major, "minor": node.minor, "access": node.access}
        for node in nodes
    ]
    return [*_DEFAULT, *named, *(parse_device_rule(text) for text in host.device_cgroup_rules or [])]


def parse_device_rule(text: str) -> dict[str, Any]:
    """A `--device-cgroup-rule` such as "c 1:3 mr". Raises InvalidParameter."""
    found = _RULE.match(text)
    if found is None:
        raise InvalidParameter(f"invalid device cgroup rule format: '{text}'")
    rule: dict[str, Any] = {"allow": True, "type": found[1], "access": found[4]}
    for key, number in (("major", found[2]), ("minor", found[3])):
        if number != "*":
            rule[key] = parse_whole(number)
            if rule[key] is None:
                raise InvalidParameter(f"invalid device cgroup rule format: '{text}'")
    return rule


def check_devices(host: HostConfig) -> None:
    """Raises InvalidParameter for wishes no device could fulfil."""
    for rule in host.device_cgroup_rules or []:
        parse_device_rule(rule)
    for wish in host.devices or []:
        if wish.cgroup_permissions and not _ACCESS.match(wish.cgroup_permissions):
            raise InvalidParameter(f"bad mode specified: {wish.cgroup_permissions}")
        if wish.path_in_container and not wish.path_in_container.startswith("/"):
            raise InvalidParameter(f"{wish.path_in_container} is not an absolute path")
