"""`lading volume create`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.run_options.process import to_map
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

# Docker's command does not count the topologies.
_OF_CLUSTERS = (
    "availability",
    "group",
    "limit-bytes",
    "required-bytes",
    "scope",
    "secret",
    "sharing",
    "type",
)


def run(session: Session, given: Given) -> None:
    name = given["name"]
    if given.operands:
        if name:
            raise CommandFailed(
                "conflicting options: cannot specify a volume-name through both --name "
                "and as a positional arg"
            )
        name = given.operands[0]
    body: dict[str, Any] = {
        "ClusterVolumeSpec": _cluster(given) if any(flag in given for flag in _OF_CLUSTERS) else None,
        "Driver": given["driver"],
        "DriverOpts": to_map(given["opt"]),
        "Labels": to_map(given["label"]),
        "Name": name,
    }
    body = {key: value for key, value in body.items() if value}
    out(session.client.call("POST", "/volumes/create", body=body).json()["Name"])


def _cluster(given: Given) -> dict[str, Any]:
    """What a cluster is to know of its volume (Engine API 1.51, "ClusterVolumeSpec")."""
    mode: dict[str, Any] = {"Scope": given["scope"], "Sharing": given["sharing"]}
    if given["type"] in ("mount", "block"):
        mode[f"{given['type'].capitalize()}Volume"] = {}
    sizes = {"RequiredBytes": given["required-bytes"], "LimitBytes": given["limit-bytes"]}
    topology = {
        "Requisite": _segments(given["topology-required"]),
        "Preferred": _segments(given["topology-preferred"]),
    }
    spec: dict[str, Any] = {
        "Group": given["group"],
        "AccessMode": mode,
        "AccessibilityRequirements": {key: value for key, value in topology.items() if value},
        "CapacityRange": {"RequiredBytes": 0, "LimitBytes": 0} | {k: v for k, v in sizes.items() if v},
        "Availability": given["availability"],
    }
    if secrets := to_map(given["secret"]):
        spec["Secrets"] = [{"Key": key, "Secret": secrets[key]} for key in sorted(secrets)]
    return {key: value for key, value in spec.items() if value != ""}


def _segments(texts: Sequence[str]) -> list[dict[str, dict[str, str]]]:
    return [{"Segments": {k: v for k, _, v in (s.partition("=") for s in text.split(","))}} for text in texts]


COMMAND = Command(
    "volume create",
    "[VOLUME]",
    "Create a volume",
    (
        Flag(
            "availability",
            "",
            "string",
            'Cluster Volume availability ("active", "pause", "drain") (default "active")',
            default="active",
            since="1.42",
        ),
        Flag("driver", "d", "string", 'Specify volume driver name (default "local")', default="local"),
        Flag("group", "", "string", "Cluster Volume group (cluster volumes)", since="1.42"),
        Flag("label", "", "list", "Set metadata for a volume"),
        Flag("limit-bytes", "", "bytes", "Minimum size of the Cluster Volume in bytes", since="1.42"),
        Flag("name", "", "string", "Specify volume name", hidden=True),
        Flag("opt", "o", "map", "Set driver specific options (default map[])", gathers=True),
        Flag("required-bytes", "", "bytes", "Maximum size of the Cluster Volume in bytes", since="1.42"),
        Flag(
            "scope",
            "",
            "string",
            'Cluster Volume access scope ("single", "multi") (default "single")',
            default="single",
            since="1.42",
        ),
        Flag("secret", "", "map", "Cluster Volume secrets (default map[])", gathers=True, since="1.42"),
        Flag(
            "sharing",
            "",
            "string",
            'Cluster Volume access sharing ("none", "readonly", "onewriter", "all") (default "none")',
            default="none",
            since="1.42",
        ),
        Flag(
            "topology-preferred",
            "",
            "list",
            "A topology that the Cluster Volume would be preferred in",
            since="1.42",
        ),
        Flag(
            "topology-required",
            "",
            "list",
            "A topology that the Cluster Volume must be accessible from",
            since="1.42",
        ),
        Flag(
            "type",
            "",
            "string",
            'Cluster Volume access type ("mount", "block") (default "block")',
            default="block",
            since="1.42",
        ),
    ),
    run,
    most=1,
)
