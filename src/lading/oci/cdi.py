"""Documents of the Container Device Interface: what a device needs inside a container.

Source: CDI specification 0.8 (cncf-tags/container-device-interface, SPEC.md).
Unknown members are ignored when reading.
"""

from typing import Any

import msgspec
from msgspec import Struct, field


class _Words(Struct, rename="camel", kw_only=True):
    """A part of a document."""


class DeviceNode(_Words):
    """A device file; what is not said is taken from the host's."""

    path: str
    host_path: str = ""
    type: str = ""
    major: int = 0
    minor: int = 0
    file_mode: int | None = None
    permissions: str = ""
    uid: int | None = None
    gid: int | None = None


class Mount(_Words):
    """Something of the host to be mounted."""

    host_path: str
    container_path: str
    type: str = ""
    options: list[str] = field(default_factory=list)


class Hook(_Words):
    """A program the OCI runtime runs at a moment of the container's life. The timeout is in seconds."""

    hook_name: str
    path: str
    args: list[str] = field(default_factory=list)
    env: list[str] = field(default_factory=list)
    timeout: int | None = None


class Edits(_Words):
    """What is changed in a container's configuration."""

    env: list[str] = field(default_factory=list)
    device_nodes: list[DeviceNode] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    additional_gids: list[int] = field(default_factory=list, name="additionalGids")


class Device(_Words):
    """One device of a specification, by name."""

    name: str
    container_edits: Edits = field(default_factory=Edits)


class Specification(_Words):
    """A file: the devices of one kind ("vendor.com/class") and edits that all of them need."""

    kind: str
    cdi_version: str = field(default="", name="cdiVersion")
    devices: list[Device] = field(default_factory=list)
    container_edits: Edits = field(default_factory=Edits)


def read(document: Any) -> Specification:
    """A specification from plain values. Raises msgspec.ValidationError."""
    return msgspec.convert(document, Specification)
