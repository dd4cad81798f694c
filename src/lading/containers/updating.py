"""What a container's limits become when some are changed. Pure.

Source: moby 28, `Container.UpdateContainer`.
"""

import msgspec

from lading.errors import Conflict
from lading.schema.container import HostConfig

_NUMBERS = (
    *("blkio_weight", "cpu_shares", "nano_cpus", "cpu_period", "cpu_quota"),
    *("cpu_realtime_period", "cpu_realtime_runtime", "memory", "memory_swap", "memory_reservation"),
)
_TEXTS = ("cpuset_cpus", "cpuset_mems")
_LISTS = (
    *("blkio_weight_device", "blkio_device_read_bps", "blkio_device_write_bps"),
    *("blkio_device_read_i_ops", "blkio_device_write_i_ops"),
)


def wish_of(body: HostConfig) -> HostConfig:
    """Of what a client sent, that which can be changed: limits and the restart policy."""
    wish = HostConfig(restart_policy=body.restart_policy)
    for name in (*_NUMBERS, *_TEXTS, *_LISTS):
        setattr(wish, name, getattr(body, name))
    if body.pids_limit is not None:
        # Every number below one is a word for no limit.
        wish.pids_limit = max(body.pids_limit, 0)
    return wish


def updated(host: HostConfig, wish: HostConfig) -> tuple[HostConfig, frozenset[str]]:
    """The new configuration, and which fields the wish names. Nothing is changed in place.

    Raises Conflict where the wish does not go with what is set already.
    """
    _check(host, wish)
    changes = {name: getattr(wish, name) for name in (*_NUMBERS, *_TEXTS, *_LISTS) if getattr(wish, name)}
    if wish.pids_limit is not None:
        changes["pids_limit"] = wish.pids_limit
    if wish.restart_policy.name:
        changes["restart_policy"] = wish.restart_policy
    return msgspec.structs.replace(host, **changes), frozenset(changes)


def _check(host: HostConfig, wish: HostConfig) -> None:
    for name, new, old in (
        ("Nano CPUs cannot be updated as CPU Period", wish.nano_cpus, host.cpu_period),
        ("Nano CPUs cannot be updated as CPU Quota", wish.nano_cpus, host.cpu_quota),
        ("CPU Period cannot be updated as NanoCPUs", wish.cpu_period, host.nano_cpus),
        ("CPU Quota cannot be updated as NanoCPUs", wish.cpu_quota, host.nano_cpus),
    ):
        if new > 0 and old > 0:
            raise Conflict(f"Conflicting options: {name} has already been set")
    if wish.memory and not wish.memory_swap and wish.memory > host.memory_swap:
        raise Conflict(
            "Memory limit should be smaller than already set memoryswap limit, "
            "update the memoryswap at the same time"
        )
    if host.auto_remove and wish.restart_policy.name not in ("", "no"):
        raise Conflict("Restart policy cannot be updated because AutoRemove is enabled for the container")
