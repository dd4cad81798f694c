"""`lading inspect`, `container inspect` and `image inspect`."""

from __future__ import annotations

import json

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import INSPECT_FORMAT_HELP
from lading.cli.platform import platform_query
from lading.cli.say import err, out
from lading.cli.template import Template, TemplateError
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session
    from lading.client import Client

_PATHS = {
    "container": "/containers/{}/json",
    "image": "/images/{}/json",
    "network": "/networks/{}",
    "volume": "/volumes/{}",
}
_NOT_FOUND, _NOT_IMPLEMENTED = 404, 501

OPTIONAL = frozenset(
    (
        *("Annotations", "ArgsEscaped", "Author", "BindOptions", "Comment", "Config", "ExposedPorts"),
        *("GraphDriver", "Health", "Healthcheck", "ImageManifestDescriptor", "Init", "MacAddress", "Mounts"),
        *(
            "NetworkDisabled",
            "OnBuild",
            "Platform",
            "RepoDigests",
            "RepoTags",
            "Runtime",
            "Shell",
            "SizeRootFs",
        ),
        *(
            "SizeRw",
            "StopSignal",
            "StopTimeout",
            "StorageOpt",
            "Sysctls",
            "Tmpfs",
            "Variant",
            "VolumeOptions",
        ),
    )
)
"""Keys the API leaves out when there is nothing to say; in a template they count as nil."""


def _fetch(client: Client, name: str, kinds: tuple[str, ...], size: bool, more: list[tuple[str, str]]) -> Any:
    for kind in kinds:
        query = [("size", "1")] if size and kind == "container" else more
        try:
            return client.get(_PATHS[kind].format(name), query)
        except ApiError as refusal:
            if len(kinds) == 1 or refusal.status not in (_NOT_FOUND, _NOT_IMPLEMENTED):
                raise
    return None


def _inspect(session: Session, given: Given, kinds: tuple[str, ...]) -> int:
    template = _template(given["format"])
    more = platform_query("platform", given.get("platform", ""))
    if given.get("verbose", False):
        more = [("verbose", "true")]
    found, failures = [], []
    for name in given.operands:
        if not name:
            failures.append("invalid ID or name: must not be empty")
            continue
        try:
            value = _fetch(session.client, name, kinds, given.get("size", False), more)
        except ApiError as refusal:
            failures.append(f"Error response from daemon: {refusal.message}")
            continue
        if value is None:
            failures.append(f"Error: No such object: {name}")
        elif template is None:
            found.append(value)
        else:
            out(_render(template, value))
    if template is None:
        if given["format"] == "json":
            out(json.dumps(found, separators=(",", ":"), ensure_ascii=False))
        else:
            out(json.dumps(found, indent=4, ensure_ascii=False))
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0


def _template(source: str) -> Template | None:
    if source in ("", "json"):
        return None
    try:
        return Template(source, optional=OPTIONAL, nil="<nil>")
    except TemplateError as error:
        raise CommandFailed(f"template parsing error: {error.message}", 64) from None


def _render(template: Template, value: Any) -> str:
    try:
        return template.render(value)
    except TemplateError as error:
        out("")
        raise CommandFailed(f"template parsing error: {error.message}") from None


def run(session: Session, given: Given) -> int:
    kind = given["type"]
    if kind and kind not in _PATHS:
        known = ", ".join(f'"{name}"' for name in _PATHS)
        raise CommandFailed(f'unknown type: "{kind}": must be one of {known}')
    if given["size"] and kind not in ("", "container"):
        raise CommandFailed("--size is only for containers")
    return _inspect(session, given, (kind,) if kind else tuple(_PATHS))


def run_container(session: Session, given: Given) -> int:
    return _inspect(session, given, ("container",))


def run_image(session: Session, given: Given) -> int:
    return _inspect(session, given, ("image",))


def run_network(session: Session, given: Given) -> int:
    return _inspect(session, given, ("network",))


def run_volume(session: Session, given: Given) -> int:
    return _inspect(session, given, ("volume",))


_FORMAT = Flag("format", "f", "string", INSPECT_FORMAT_HELP)
_SIZE = Flag("size", "s", "", "Show a container's sizes")
_PLATFORM_HELP = (
    "Inspect a specific platform of the multi-platform image.\n"
    "If the image or the server is not multi-platform capable,"
    " the command will error out if the platform does not match.\n"
    "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"
)

COMMAND = Command(
    "inspect",
    "NAME|ID [NAME|ID...]",
    "Show everything known about containers, images and the like",
    (_FORMAT, _SIZE, Flag("type", "", "string", "Look only among objects of this kind")),
    run,
    least=1,
)
CONTAINER_COMMAND = Command(
    "container inspect",
    "CONTAINER [CONTAINER...]",
    "Show everything known about containers",
    (_FORMAT, _SIZE),
    run_container,
    least=1,
)
IMAGE_COMMAND = Command(
    "image inspect",
    "IMAGE [IMAGE...]",
    "Display detailed information on one or more images",
    (_FORMAT, Flag("platform", "", "string", _PLATFORM_HELP, since="1.49")),
    run_image,
    least=1,
)
NETWORK_COMMAND = Command(
    "network inspect",
    "NETWORK [NETWORK...]",
    "Display detailed information on one or more networks",
    (_FORMAT, Flag("verbose", "v", "", "Verbose output for diagnostics")),
    run_network,
    least=1,
)
VOLUME_COMMAND = Command(
    "volume inspect",
    "VOLUME [VOLUME...]",
    "Display detailed information on one or more volumes",
    (_FORMAT,),
    run_volume,
    least=1,
)
