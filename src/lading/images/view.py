"""Images as the API shows them. Pure.

Source: Engine API definition 1.51 and its version history: 1.43 (no more
`<none>`), 1.44 (VirtualSize), 1.45 (Container, ContainerConfig), 1.50 (no more
container-only fields in Config).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from lading.images.listing import Candidate
from lading.images.record import Image
from lading.images.reference import Reference
from lading.oci.image import ImageConfig
from lading.units import NANOSECOND, parse_rfc3339, rfc3339

Version = tuple[int, int]
CURRENT: Version = (1, 51)


def summary(candidate: Candidate, shared_size: int, version: Version = CURRENT) -> dict[str, Any]:
    """One entry of the list."""
    image = candidate.image
    tags, digests = split_references(candidate.references)
    if version < (1, 43) and not tags and not digests:
        tags, digests = ["<none>:<none>"], ["<none>@<none>"]
    shown: dict[str, Any] = {
        "Containers": -1,
        "Created": image.created_ns // NANOSECOND,
        "Id": image.id,
        "Labels": image.config.labels,
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
    version: Version = CURRENT,
) -> dict[str, Any]:
    """The answer of inspect."""
    document = image.document
    tags, digests = split_references(references)
    shown: dict[str, Any] = {
        "Id": image.id,
        "RepoTags": tags,
        "RepoDigests": digests,
        "Parent": image.parent,
        "Comment": document.comment or _last_comment(image),
        "Created": document.created or rfc3339(0),
        "DockerVersion": document.docker_version,
        "Author": document.author,
        "Config": config_view(image.config, version),
        "Architecture": document.architecture,
        "Os": document.os,
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
    return shown


def _last_comment(image: Image) -> str:
    history = image.document.history
    return history[-1].comment if history else ""


def config_view(config: ImageConfig, version: Version = CURRENT) -> dict[str, Any]:
    """The configuration with the keys of the version."""
    if version < (1, 50):
        return _container_config(config)
    shown: dict[str, Any] = msgspec.to_builtins(config)
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


def history(image: Image, layer_sizes: Sequence[int], tags: list[str]) -> list[dict[str, Any]]:
    """How the image came about, last change first. `layer_sizes` are lowest first."""
    sizes = iter(layer_sizes)
    shown = []
    for entry in image.document.history or []:
        shown.append(
            {
                "Comment": entry.comment,
                "Created": parse_rfc3339(entry.created) // NANOSECOND if entry.created else 0,
                "CreatedBy": entry.created_by,
                "Id": "<missing>",
                "Size": 0 if entry.empty_layer else next(sizes, 0),
                "Tags": None,
            }
        )
    shown.reverse()
    if shown:
        shown[0]["Id"] = image.id
        shown[0]["Tags"] = tags or None
    return shown
