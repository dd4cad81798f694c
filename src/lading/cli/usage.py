"""From the engine's samples to the figures `lading stats` shows, as docker's client works them out (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Figures:
    """Of one container: percentages, bytes and the number of its processes."""

    __slots__ = (
        *("identifier", "memory", "memory_limit", "name", "processes", "processor"),
        *("read", "received", "sent", "written"),
    )

    def __init__(self, sample: dict[str, Any]) -> None:
        """From one sample (Engine API 1.51, ContainerStatsResponse)."""
        memory = sample.get("memory_stats") or {}
        networks = (sample.get("networks") or {}).values()
        block = (sample.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ()
        self.name: str = sample.get("name", "")
        self.identifier: str = sample.get("id", "")
        self.processor = _processor(sample.get("precpu_stats") or {}, sample.get("cpu_stats") or {})
        self.memory = _without_cache(memory)
        self.memory_limit: int = memory.get("limit", 0)
        self.received: int = sum(network["rx_bytes"] for network in networks)
        self.sent: int = sum(network["tx_bytes"] for network in networks)
        self.read: int = sum(entry["value"] for entry in block if entry["op"][:1] in ("r", "R"))
        self.written: int = sum(entry["value"] for entry in block if entry["op"][:1] in ("w", "W"))
        self.processes: int = (sample.get("pids_stats") or {}).get("current", 0)

    @property
    def memory_percent(self) -> float:
        return self.memory / self.memory_limit * 100 if self.memory_limit else 0.0


def _processor(before: dict[str, Any], now: dict[str, Any]) -> float:
    """Percent of one processor."""
    used = _used(now) - _used(before)
    whole = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    count = now.get("online_cpus") or len((now.get("cpu_usage") or {}).get("percpu_usage") or ())
    return used / whole * count * 100 if used > 0 and whole > 0 else 0.0


def _used(processor: dict[str, Any]) -> int:
    used: int = (processor.get("cpu_usage") or {}).get("total_usage", 0)
    return used


def _without_cache(memory: dict[str, Any]) -> int:
    """What is not merely kept in case it is read again; control groups of version 1 name it otherwise."""
    usage: int = memory.get("usage", 0)
    details: dict[str, int] = memory.get("stats") or {}
    for name in ("total_inactive_file", "inactive_file"):
        if name in details and details[name] < usage:
            return usage - details[name]
    return usage
