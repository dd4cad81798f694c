"""The `--storage-opt` values. Pure."""

from lading.errors import InvalidParameter, Unsupported
from lading.schema.container import HostConfig
from lading.units import parse_size


def layer_limit(host: HostConfig, *, can_limit: bool) -> int:
    """The most bytes a container may write, 0 for no limit.

    Raises InvalidParameter, or Unsupported, in docker's words, where the file
    system has no project quotas.
    """
    limit = 0
    for name, value in (host.storage_opt or {}).items():
        if name.lower() != "size":
            raise InvalidParameter(f"Unknown option {name}")
        if not can_limit:
            raise Unsupported(
                "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
            )
        limit = parse_size(value)
    return limit
