"""Paths of /proc and /sys that a container must not see or not change. Pure.

They tell of, or act on, the host as a whole: no namespace divides them.
"""

from collections.abc import Sequence

from lading.schema.container import HostConfig

MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def masked_paths(host: HostConfig, *, open_paths: bool, of_machine: Sequence[str]) -> list[str]:
    """What is hidden; `of_machine` are paths only some machines have."""
    if host.privileged or open_paths:
        return []
    return [*MASKED, *of_machine] if host.masked_paths is None else list(host.masked_paths)


def readonly_paths(host: HostConfig, *, open_paths: bool) -> list[str]:
    """What can be read, not written."""
    if host.privileged or open_paths:
        return []
    return list(READ_ONLY if host.readonly_paths is None else host.readonly_paths)
