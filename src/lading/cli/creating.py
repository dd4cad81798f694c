"""Makes a container for `run` and `create`, fetching its image where that is missing."""

from __future__ import annotations

import posix

from lading.cli.errors import CommandFailed, UsageError
from lading.cli.flags import Flag
from lading.cli.reference import is_identifier, parse_reference
from lading.cli.say import err, write
from lading.cli.session import environment
from lading.cli.trust import refuse_trust, trust_flag
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session
    from lading.client import Client

FLAGS = (
    trust_flag("verification"),
    Flag("name", "", "string", "Name of the container"),
    Flag("platform", "", "string", "Platform of the image: os[/architecture[/variant]]", since="1.32"),
    Flag("pull", "", "string", 'When to fetch the image: "always", "missing" or "never"', default="missing"),
    Flag("quiet", "q", "", "Say nothing about fetching"),
)
_PULLS = ("always", "missing", "never")
_NOT_FOUND = 404


def check_pull(given: Given) -> None:
    """Raises UsageError for an unknown --pull."""
    if given["pull"] not in _PULLS:
        raise UsageError(
            f'lading: invalid pull option: \'{given["pull"]}\': must be one of "always", "missing" or "never"'
        )


def create_container(session: Session, given: Given, body: dict[str, Any]) -> str:
    """The new container's ID. Raises CommandFailed, ApiError, and what the connection raises."""
    client = session.client
    image: str = given.operands[0]
    platform = given["platform"] or environment("DOCKER_DEFAULT_PLATFORM") or ""
    if platform:
        from lading.cli.platform import normal_platform

        platform = normal_platform(platform)
    if given["use-api-socket"]:
        _mount_socket(body["HostConfig"], session.socket_path)
    reference = None if is_identifier(image) else parse_reference(image)
    refuse_trust(given, has_digest=reference is None or bool(reference.digest))
    _add_proxies(session, body)
    cid_file = CidFile(given["cidfile"]) if given["cidfile"] else None
    query = [("name", given["name"])] if given["name"] else []
    if platform and client.at_least("1.41"):
        query.append(("platform", platform))
    _adapt(client, given, body)
    try:
        if given["pull"] == "always" and reference:
            _pull(session, image, platform, given["quiet"])
        try:
            answer = client.call("POST", "/containers/create", query, body).json()
        except ApiError as refusal:
            missing = refusal.status == _NOT_FOUND and "no such image" in refusal.message.lower()
            if not missing or reference is None or given["pull"] != "missing":
                raise
            if not given["quiet"]:
                err(f"Unable to find image '{reference.familiar()}' locally")
            _pull(session, image, platform, given["quiet"])
            answer = client.call("POST", "/containers/create", query, body).json()
        for warning in answer.get("Warnings") or ():
            err(f"WARNING: {warning}")
        if cid_file:
            cid_file.write(answer["Id"])
    finally:
        if cid_file:
            cid_file.close()
    identifier: str = answer["Id"]
    return identifier


def _adapt(client: Client, given: Given, body: dict[str, Any]) -> None:
    """What old engines need said differently. Raises CommandFailed."""
    endpoints = body["NetworkingConfig"]["EndpointsConfig"].values()
    if any(endpoint["MacAddress"] for endpoint in endpoints) and not client.at_least("1.44"):
        raise CommandFailed(
            '"specify mac-address per network" requires API version 1.44, '
            f"but the engine's API version is {client.api_version}"
        )
    if given["kernel-memory"] and client.at_least("1.40") and not client.at_least("1.42"):
        body["HostConfig"]["KernelMemory"] = given["kernel-memory"]


def _add_proxies(session: Session, body: dict[str, Any]) -> None:
    proxies = session.config.map("proxies")
    if proxies:
        from lading.cli.config.proxies import proxy_environment

        given: list[str] = body["Env"] or []
        body["Env"] = [*given, *proxy_environment(proxies, session.engine, given)] or None


def _pull(session: Session, image: str, platform: str, quiet: bool) -> None:
    from lading.cli.pulling import pull

    pull(session, image, platform, quiet)


def _mount_socket(host: dict[str, Any], socket_path: str) -> None:
    if not socket_path:
        raise CommandFailed("--use-api-socket needs an engine that is reached by a UNIX socket")
    bind = {"Type": "bind", "Source": socket_path, "Target": "/var/run/docker.sock", "BindOptions": {}}
    host.setdefault("Mounts", []).append(bind)


class CidFile:
    """The file of `--cidfile`: there before the container is, gone again if the container fails."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._written = False
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC
        try:
            self._descriptor = posix.open(path, flags, 0o644)
        except FileExistsError:
            raise CommandFailed(
                f"container ID file found, make sure the other container isn't running or delete {path}"
            ) from None
        except OSError as error:
            raise CommandFailed(
                f"failed to create the container ID file: open {path}: {(error.strerror or '').lower()}"
            ) from None

    def write(self, identifier: str) -> None:
        write(self._descriptor, identifier.encode())
        self._written = True

    def close(self) -> None:
        posix.close(self._descriptor)
        if not self._written:
            posix.unlink(self._path)
