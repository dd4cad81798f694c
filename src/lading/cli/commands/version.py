"""`lading version`."""

from __future__ import annotations

import posix
import sys

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.say import err, out
from lading.client import NEWEST_API, ApiError, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def _client(api_version: str) -> dict[str, Any]:
    from lading import __version__

    machine = posix.uname().machine
    return {
        "Version": __version__,
        "ApiVersion": api_version,
        "APIVersion": api_version,
        "DefaultAPIVersion": NEWEST_API,
        "PythonVersion": ".".join(map(str, sys.version_info[:3])),
        "GoVersion": "",
        "GitCommit": "",
        "BuildTime": "",
        "Os": sys.platform,
        "Arch": _MACHINES.get(machine, machine),
        "Context": "default",
    }


def run(session: Session, given: Given) -> int:
    failure, server, api_version = "", None, NEWEST_API
    try:
        api_version = session.client.api_version
        server = session.client.get("/version")
    except ApiError as refusal:
        failure = f"Error response from daemon: {refusal.message}"
    except ClientError as error:
        failure = error.message
    client = _client(api_version)
    if given["format"]:
        _print_format(given["format"], {"Client": client, "Server": _with_api_name(server)})
    else:
        out(_client_text(client))
        if server is not None:
            out("\n" + _server_text(server))
    if failure:
        err(failure)
    return 1 if failure else 0


def _with_api_name(server: dict[str, Any] | None) -> dict[str, Any] | None:
    """Templates say APIVersion, the wire says ApiVersion."""
    if server is None:
        return None
    return {**server, "APIVersion": server.get("ApiVersion"), "MinAPIVersion": server.get("MinAPIVersion")}


def _print_format(source: str, value: dict[str, Any]) -> None:
    from lading.cli.template import Template, TemplateError

    try:
        out(Template("{{json .}}" if source == "json" else source).render(value))
    except TemplateError as error:
        raise CommandFailed(f"template parsing error: {error.message}", 64) from None


def _client_text(client: dict[str, Any]) -> str:
    return "\n".join(
        (
            "Client: Lading",
            f" Version:           {client['Version']}",
            f" API version:       {client['ApiVersion']}",
            f" Python version:    {client['PythonVersion']}",
            f" OS/Arch:           {client['Os']}/{client['Arch']}",
            f" Context:           {client['Context']}",
        )
    )


_DETAILS = (
    ("ApiVersion", "API version"),
    ("GoVersion", "Go version"),
    ("PythonVersion", "Python version"),
    ("GitCommit", "Git commit"),
    ("BuildTime", "Built"),
    ("Os", "OS/Arch"),
    ("Experimental", "Experimental"),
)


def _server_text(server: dict[str, Any]) -> str:
    name = (server.get("Platform") or {}).get("Name", "")
    lines = [f"Server: {name}" if name else "Server:"]
    components = server.get("Components") or [
        {"Name": "Engine", "Version": server.get("Version", ""), "Details": server}
    ]
    for component in components:
        lines += [f" {component['Name']}:", f"  Version:          {component['Version']}"]
        details = component.get("Details") or {}
        known = {key for key, _ in _DETAILS} | {"Arch", "MinAPIVersion", "KernelVersion"}
        for key, label in _DETAILS:
            if details.get(key) not in (None, ""):
                lines.append(f"  {label + ':':<18}{_detail(key, details)}")
        lines += [
            f"  {key + ':':<18}{value}"
            for key, value in details.items()
            if key not in known and isinstance(value, str)
        ]
    return "\n".join(lines)


def _detail(key: str, details: dict[str, Any]) -> str:
    if key == "ApiVersion":
        return f"{details[key]} (minimum version {details.get('MinAPIVersion', '')})"
    if key == "Os":
        return f"{details[key]}/{details.get('Arch', '')}"
    return str(details[key]).lower() if key == "Experimental" else str(details[key])


COMMAND = Command(
    "version",
    "",
    "Show the versions of client and engine",
    (Flag("format", "f", "string", "How to show it: 'json', or a Go template"),),
    run,
    most=0,
)
