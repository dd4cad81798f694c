"""Images as the API shows them. Pure.

Source: Engine API definition 1.51 and its version history: 1.43 (no more
`<none>`), 1.44 (VirtualSize, and Created where there is none), 1.45 (Container,
ContainerConfig), 1.50 (no more container-only fields in Config), 1.51
(Containers in lists). `Descriptor` and `Manifests` are, as with dockerd's own
image store, never there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lading.images.listing import Candidate
from lading.images.record import Image
from lading.images.reference import Reference
from lading.oci.image import ImageConfig
from lading.units import NANOSECOND, parse_rfc3339, rfc3339

Version = tuple[int, int]
CURRENT: Version = (1, 51)
CONTAINERS_SINCE: Version = (1, 51)
"""Where a list begins to tell how many containers an image has."""

_TRAILING_ZEROS = re.compile(r"(?:(\.[0-9]*[1-9])|\.)0+(?=[Zz+-])")


def summary(
    candidate: Candidate, shared_size: int, containers: int, version: Version = CURRENT
) -> dict[str, Any]:
    """One entry of the list; -1 stands for a number that was not asked for."""
    image = candidate.image
    tags, digests = split_references(candidate.references)
    if version < (1, 43) and not tags and not digests:
        tags, digests = ["<none>:<none>"], ["<none>@<none>"]
    shown: dict[str, Any] = {
        "Containers": containers,
        "Created": image.created_ns // NANOSECOND,
        "Id": image.id,
        "Labels": image.labels,
        "ParentId": image.parent,
        "RepoDigests": digests,
        "RepoTags": tags,
        "SharedSize": shared_size,
        "Size": image.size,
    }
    if version < (1, 44):
        shown["VirtualSize"] = image.size
    return shown


def split_references(references: Sequence[Reference]) -> tuple[list[str], list[str]]:
    """Tags and digests as people write them."""
    tags = [reference.familiar for reference in references if not reference.digest]
    digests = [reference.familiar for reference in references if reference.digest]
    return tags, digests


def inspection(
    image: Image,
    references: Sequence[Reference],
    driver: str,
    driver_data: dict[str, str],
    built_in: Mapping[str, Any] | None = None,
    version: Version = CURRENT,
) -> dict[str, Any]:
    """The answer of inspect. `built_in` tells, before 1.45, of the container the image was made of."""
    document = image.document
    tags, digests = split_references(references)
    shown: dict[str, Any] = {
        "Id": image.id,
        "RepoTags": tags,
        "RepoDigests": digests,
        "Parent": image.parent,
        "Comment": document.comment or _last_comment(image),
        **_created(image, version),
        "DockerVersion": document.docker_version,
        "Author": document.author,
        "Config": config_view(image.config, version),
        "Architecture": document.architecture,
        "Os": document.os or "linux",
        "Size": image.size,
        "GraphDriver": {"Data": driver_data or None, "Name": driver},
        "RootFS": {"Type": "layers", "Layers": document.diff_ids},
        "Metadata": {"LastTagTime": rfc3339(image.record.last_tagged_ns)},
    }
    if document.variant:
        shown["Variant"] = document.variant
    if document.os_version:
        shown["OsVersion"] = document.os_version
    if version < (1, 44):
        shown["VirtualSize"] = image.size
    if version < (1, 45):
        shown["Container"] = ""
        shown["ContainerConfig"] = _container_config(ImageConfig())
        shown |= built_in or {}
    return shown


def _created(image: Image, version: Version) -> dict[str, str]:
    if image.document.created:
        return {"Created": _TRAILING_ZEROS.sub(r"\1", image.document.created)}
    return {"Created": rfc3339(0)} if version < (1, 44) else {}


def _last_comment(image: Image) -> str:
    history = image.document.history
    return history[-1].comment if history else ""


def config_view(config: ImageConfig, version: Version = CURRENT) -> dict[str, Any]:
    """The configuration with the keys of the version."""
    if version < (1, 50):
        return _container_config(config)
    # These are there in any case, also in versions that otherwise leave out what is empty.
    shown: dict[str, Any] = {
        "User": config.user,
        "Env": config.env,
        "Cmd": config.cmd,
        "Volumes": config.volumes,
        "WorkingDir": config.working_dir,
        "Entrypoint": config.entrypoint,
        "OnBuild": config.on_build,
        "Labels": config.labels,
    }
    shown |= msgspec.to_builtins(config)
    return shown


def _container_config(config: ImageConfig) -> dict[str, Any]:
    """All keys of a container's configuration, as versions before 1.50 have them."""
    shown: dict[str, Any] = {
        "Hostname": "",
        "Domainname": "",
        "User": config.user,
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "Tty": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "Env": config.env,
        "Cmd": config.cmd,
        "Image": "",
        "Volumes": config.volumes,
        "WorkingDir": config.working_dir,
        "Entrypoint": config.entrypoint,
        "OnBuild": config.on_build,
        "Labels": config.labels,
    }
    optional: dict[str, Any] = msgspec.to_builtins(config)
    for key in ("ExposedPorts", "Healthcheck", "ArgsEscaped", "StopSignal", "StopTimeout", "Shell"):
        if key in optional:
            shown[key] = optional[key]
    return shown


def history(
    image: Image, layer_sizes: Sequence[int], lineage: Sequence[tuple[str, list[str]]]
) -> list[dict[str, Any]]:
    """How the image came about, last change first.

    `layer_sizes` are lowest first; `lineage` are IDs and tags of the image and of
    those it was made from here, one for each of the last changes.
    """
    sizes = iter(layer_sizes)
    shown: list[dict[str, Any]] = [
        {
            "Comment": entry.comment,
            "Created": parse_rfc3339(entry.created) // NANOSECOND if entry.created else 0,
            "CreatedBy": entry.created_by,
            "Id": "<missing>",
            "Size": 0 if entry.empty_layer else next(sizes, 0),
            "Tags": None,
        }
        for entry in image.document.history or []
    ]
    shown.reverse()
    for entry, (image_id, tags) in zip(shown, lineage, strict=False):
        entry["Id"], entry["Tags"] = image_id, tags or None
    return shown
