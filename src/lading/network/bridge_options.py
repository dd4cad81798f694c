"""Driver options of bridge networks. Pure. Source: docker's "Bridge network driver", options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from lading.errors import InvalidParameter
from lading.network.ports import ANYWHERE
from lading.network.ruleset import ISOLATED, NAT, ROUTED, UNPROTECTED

BRIDGE_NAME = "com.docker.network.bridge.name"
MTU = "com.docker.network.driver.mtu"
_BRIDGE = "com.docker.network.bridge."
_MODES = (NAT, ROUTED, ISOLATED, UNPROTECTED)
_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
_LINK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\Z")
_HIGHEST_MTU = 65535


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """What the options say; an `mtu` of 0 and an empty `name` leave it to the engine."""

    name: str
    icc: bool
    masquerade: bool
    mtu: int
    host_binding: str
    mode: str
    inhibit: bool


def bridge_options(options: Mapping[str, str]) -> BridgeOptions:
    """Reads them; names that mean nothing here are passed over, as docker does. Raises InvalidParameter."""
    name = options.get(BRIDGE_NAME, "")
    if name and not _LINK_NAME.match(name):
        raise InvalidParameter(f"invalid bridge name: {name!r}")
    mode = options.get(f"{_BRIDGE}gateway_mode_ipv4", "") or NAT
    if mode not in _MODES:
        raise InvalidParameter(f"unknown gateway mode {mode}")
    return BridgeOptions(
        name=name,
        icc=_boolean(options, "enable_icc", default=True),
        masquerade=_boolean(options, "enable_ip_masquerade", default=True),
        mtu=read_mtu(options),
        host_binding=_host_binding(options.get(f"{_BRIDGE}host_binding_ipv4", "")),
        mode=mode,
        inhibit=_boolean(options, "inhibit_ipv4", default=False),
    )


def _boolean(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = options.get(f"{_BRIDGE}{name}")
    if text is None:
        return default
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise InvalidParameter(
            f"failed to parse {_BRIDGE}{name} value: {text} "
            f'(strconv.ParseBool: parsing "{text}": invalid syntax)'
        )
    return value


def read_mtu(options: Mapping[str, str]) -> int:
    """The MTU asked for, or 0. Raises InvalidParameter."""
    text = options.get(MTU, "")
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_MTU:
        raise InvalidParameter(f"failed to parse {MTU} value: {text} (it must be a number up to 65535)")
    return int(text)


def _host_binding(text: str) -> str:
    if not text:
        return ANYWHERE
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise InvalidParameter(f"failed to parse {_BRIDGE}host_binding_ipv4 value: {text} (nil ip)") from None
