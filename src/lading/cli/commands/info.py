"""`lading info`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import INSPECT_FORMAT_HELP
from lading.cli.say import err, out
from lading.client import ApiError, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_LINES = (
    ("Containers", "Containers"),
    ("ContainersRunning", " Running"),
    ("ContainersPaused", " Paused"),
    ("ContainersStopped", " Stopped"),
    ("Images", "Images"),
    ("ServerVersion", "Server Version"),
    ("Driver", "Storage Driver"),
)
_ENGINE_LINES = (
    ("LoggingDriver", "Logging Driver"),
    ("CgroupDriver", "Cgroup Driver"),
    ("CgroupVersion", "Cgroup Version"),
)
_MACHINE_LINES = (
    ("KernelVersion", "Kernel Version"),
    ("OperatingSystem", "Operating System"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
    ("NCPU", "CPUs"),
    ("MemTotal", "Total Memory"),
    ("Name", "Name"),
    ("ID", "ID"),
    ("DockerRootDir", "Docker Root Dir"),
    ("Debug", "Debug Mode"),
    ("HttpProxy", "HTTP Proxy"),
    ("HttpsProxy", "HTTPS Proxy"),
    ("NoProxy", "No Proxy"),
    ("ExperimentalBuild", "Experimental"),
)


def run(session: Session, given: Given) -> int:
    from lading import __version__

    failure = ""
    server: dict[str, Any] = {}
    try:
        server = session.client.get("/info")
    except ApiError as refusal:
        failure = f"ERROR: Error response from daemon: {refusal.message}\nerrors pretty printing info"
    except ClientError as error:
        failure = f"ERROR: {error.message}\nerrors pretty printing info"
    client = {"Version": __version__, "Context": "default", "Debug": False, "Plugins": []}
    if given["format"]:
        shown = {**server, "ServerErrors": [failure]} if failure else server
        _print_format(given["format"], {**shown, "ClientInfo": client})
    else:
        out(f"Client:\n Version:    {__version__}\n Context:    default\n Debug Mode: false\n\nServer:")
        if not failure:
            out("\n".join(f" {line}" for line in _server_lines(server)))
    if failure:
        err(failure)
    for warning in server.get("Warnings") or ():
        err(warning)
    return 1 if failure else 0


def _print_format(source: str, value: dict[str, Any]) -> None:
    from lading.cli.template import Template, TemplateError

    try:
        out(Template("{{json .}}" if source == "json" else source).render(value))
    except TemplateError as error:
        raise CommandFailed(f"template parsing error: {error.message}", 64) from None


def _server_lines(server: dict[str, Any]) -> Iterator[str]:
    yield from _pairs(server, _LINES)
    for name, value in server.get("DriverStatus") or ():
        yield f" {name}: {value}"
    yield from _pairs(server, _ENGINE_LINES)
    yield "Plugins:"
    for label, key in (("Volume", "Volume"), ("Network", "Network"), ("Log", "Log")):
        yield f" {label}: {' '.join((server.get('Plugins') or {}).get(key) or ())}"
    yield f"Runtimes: {' '.join(sorted(server.get('Runtimes') or {}))}"
    yield f"Default Runtime: {server.get('DefaultRuntime', '')}"
    yield f"Init Binary: {server.get('InitBinary', '')}"
    if server.get("SecurityOptions"):
        yield "Security Options:"
        for option in server["SecurityOptions"]:
            fields = dict(field.partition("=")[::2] for field in option.split(","))
            yield f" {fields.pop('name', option)}"
            yield from (f"  {name.capitalize()}: {value}" for name, value in fields.items())
    yield from _pairs(server, _MACHINE_LINES)
    registries = (server.get("RegistryConfig") or {}).get("InsecureRegistryCIDRs") or ()
    if registries:
        yield "Insecure Registries:"
        yield from (f" {registry}" for registry in registries)
    yield f"Live Restore Enabled: {_show(server.get('LiveRestoreEnabled', False))}"


def _pairs(server: dict[str, Any], lines: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for key, label in lines:
        value = server.get(key)
        if value in (None, ""):
            continue
        yield f"{label}: {_binary_size(value) if key == 'MemTotal' else _show(value)}"


def _show(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _binary_size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g}{unit}"
        size /= 1024
    return f"{size:.4g}TiB"


COMMAND = Command(
    "info",
    "",
    "Display system-wide information",
    (Flag("format", "f", "string", INSPECT_FORMAT_HELP),),
    run,
    most=0,
    aliases=("system info", "info"),
)
