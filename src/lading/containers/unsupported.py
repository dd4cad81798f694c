"""Wishes this engine cannot fulfil yet: refused, or named in a warning. Pure."""

from lading.errors import Unsupported
from lading.schema.container import ContainerConfig, HostConfig


def check_supported(config: ContainerConfig, host: HostConfig) -> list[str]:
    """Warnings for the user. Raises Unsupported."""
    if host.storage_opt:
        raise Unsupported("this engine cannot limit a container's file system yet (--storage-opt)")
    health = config.healthcheck
    if health is not None and health.test and health.test[0] != "NONE":
        return ["This engine does not run health checks yet; the container starts without."]
    return []
