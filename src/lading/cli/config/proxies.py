"""Proxies that config.json names for containers. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_VARIABLES = {
    "HTTP_PROXY": "httpProxy",
    "HTTPS_PROXY": "httpsProxy",
    "NO_PROXY": "noProxy",
    "FTP_PROXY": "ftpProxy",
    "ALL_PROXY": "allProxy",
}


def proxy_environment(proxies: Mapping[str, Any], engine: str, given: Iterable[str] = ()) -> list[str]:
    """The environment a container gets for the engine at this address, without what is `given` already."""
    settings = proxies.get(engine) or proxies.get("default") or {}
    names = {variable.partition("=")[0] for variable in given}
    return [
        f"{name}={settings[member]}"
        for variable, member in _VARIABLES.items()
        if settings.get(member)
        for name in (variable, variable.lower())
        if name not in names
    ]
