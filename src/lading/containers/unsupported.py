"""Wishes this engine cannot fulfil: refused, in docker's words. Pure."""

from lading.errors import InvalidParameter, Unsupported
from lading.schema.container import HostConfig


def check_storage_options(host: HostConfig) -> None:
    """Raises InvalidParameter, or Unsupported: layers are directories of one file system without quotas."""
    for name in host.storage_opt or {}:
        if name.lower() != "size":
            raise InvalidParameter(f"Unknown option {name}")
        raise Unsupported("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
