"""Wishes this engine cannot fulfil yet: refused, or named in a warning. Pure."""

from lading.errors import Unsupported
from lading.schema.container import ContainerConfig, HostConfig


def check_supported(config: ContainerConfig, host: HostConfig) -> list[str]:
    """Warnings for the user. Raises Unsupported."""
    if host.storage_opt:
        raise Unsupported("this engine cannot limit a container's file system yet (--storage-opt)")
    return []
