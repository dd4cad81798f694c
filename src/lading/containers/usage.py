"""What the kernel says of a container's usage, as the API shows it. Pure.

Source: Engine API 1.51, ContainerStatsResponse; moby 28, `statsV1` and
`statsV2`. The two versions of control groups give different keys.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lading.units import NANOSECOND

_TICKS = 100
"""Clock ticks of a second in what the kernel shows to programs (USER_HZ, on every machine of today)."""
_MOST = (1 << 64) - 1
_MICROSECOND = 1000

_MEMORY_1 = (
    *("cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout", "pgfault"),
    *("pgmajfault", "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable"),
)
_MEMORY_1_WHOLE = (
    *("hierarchical_memory_limit", "hierarchical_memsw_limit"),
    *(f"total_{name}" for name in _MEMORY_1),
)
_MEMORY_2 = (
    *("anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty"),
    *("file_writeback", "anon_thp", "inactive_anon", "active_anon", "inactive_file", "active_file"),
    *("unevictable", "slab_reclaimable", "slab_unreclaimable", "pgfault", "pgmajfault"),
    *("workingset_refault", "workingset_activate", "workingset_nodereclaim", "pgrefill", "pgscan"),
    *("pgsteal", "pgactivate", "pgdeactivate", "pglazyfree", "pglazyfreed", "thp_fault_alloc"),
    "thp_collapse_alloc",
)
_BLOCK_KEYS = (
    *("io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive"),
    *("io_service_time_recursive", "io_wait_time_recursive", "io_merged_recursive"),
    *("io_time_recursive", "sectors_recursive"),
)
_INTERFACE = ("bytes", "packets", "errors", "dropped")

Json = dict[str, Any]


class Processors(NamedTuple):
    """What all processors have done since the machine started: nanoseconds, idle ones too, and how many."""

    nanoseconds: int
    online: int


def processors(text: str) -> Processors:
    """From /proc/stat."""
    lines = [line.split() for line in text.splitlines() if line.startswith("cpu")]
    if not lines:
        return Processors(0, 0)
    # User, nice, system, idle, waiting and both kinds of interrupts; the rest is counted in these.
    ticks = sum(map(int, lines[0][1:8]))
    return Processors(ticks * NANOSECOND // _TICKS, len(lines) - 1)


def nothing() -> Json:
    """The measured part for a container that does not run."""
    return {
        "cpu_stats": _processor(0, 0, 0, {}),
        "memory_stats": {},
        "pids_stats": {},
        "blkio_stats": dict.fromkeys(_BLOCK_KEYS),
    }


def measured(texts: Mapping[str, str], version: int, memory: int, machine: Processors) -> Json:
    """From a group's files; `memory` is the machine's, in bytes."""
    shown = (_measured_2 if version == 2 else _measured_1)(texts, memory)
    if machine.nanoseconds:
        shown["cpu_stats"]["system_cpu_usage"] = machine.nanoseconds
    if machine.online:
        shown["cpu_stats"]["online_cpus"] = machine.online
    return shown


def interfaces(text: str) -> Json:
    """From /proc/<pid>/net/dev, without the loopback."""
    shown = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        numbers = [int(number) for number in rest.split()]
        if name.strip() == "lo" or len(numbers) < 12:
            continue
        received = {f"rx_{key}": numbers[place] for place, key in enumerate(_INTERFACE)}
        sent = {f"tx_{key}": numbers[8 + place] for place, key in enumerate(_INTERFACE)}
        shown[name.strip()] = received | sent
    return shown


def _measured_1(texts: Mapping[str, str], memory: int) -> Json:
    times = _pairs(texts.get("cpuacct.stat", ""))
    usage = _processor(
        _number(texts, "cpuacct.usage"),
        times.get("system", 0) * NANOSECOND // _TICKS,
        times.get("user", 0) * NANOSECOND // _TICKS,
        _pairs(texts.get("cpu.stat", "")),
    )
    if per_processor := [int(number) for number in texts.get("cpuacct.usage_percpu", "").split()]:
        usage["cpu_usage"]["percpu_usage"] = per_processor
    block: Json = {key: [] for key in _BLOCK_KEYS}
    for key in ("io_service_bytes_recursive", "io_serviced_recursive"):
        block[key] = _operations(texts.get(f"blkio.throttle.{key}", ""))
    numbers = _pairs(texts.get("memory.stat", ""))
    limit = _number(texts, "pids.max")
    return {
        "cpu_stats": usage,
        "memory_stats": _set(
            usage=_number(texts, "memory.usage_in_bytes"),
            max_usage=_number(texts, "memory.max_usage_in_bytes"),
            stats={name: numbers.get(name, 0) for name in (*_MEMORY_1, *_MEMORY_1_WHOLE)},
            failcnt=_number(texts, "memory.failcnt"),
            limit=_within(_number(texts, "memory.limit_in_bytes"), memory),
        ),
        "pids_stats": _set(current=_number(texts, "pids.current"), limit=0 if limit == _MOST else limit),
        "blkio_stats": block,
    }


def _measured_2(texts: Mapping[str, str], memory: int) -> Json:
    times = _pairs(texts.get("cpu.stat", ""))
    numbers = _pairs(texts.get("memory.stat", ""))
    throttled = {**times, "throttled_time": times.get("throttled_usec", 0) * _MICROSECOND}
    return {
        "cpu_stats": _processor(
            times.get("usage_usec", 0) * _MICROSECOND,
            times.get("system_usec", 0) * _MICROSECOND,
            times.get("user_usec", 0) * _MICROSECOND,
            throttled,
        ),
        "memory_stats": _set(
            usage=_number(texts, "memory.current"),
            stats={name: numbers.get(name, 0) for name in _MEMORY_2},
            failcnt=_pairs(texts.get("memory.events", "")).get("oom", 0),
            limit=_within(_number(texts, "memory.max"), memory),
        ),
        "pids_stats": _set(current=_number(texts, "pids.current"), limit=_number(texts, "pids.max")),
        "blkio_stats": {
            **dict.fromkeys(_BLOCK_KEYS),
            "io_service_bytes_recursive": _bytes_2(texts.get("io.stat", "")) or None,
        },
    }


def _processor(total: int, kernel: int, user: int, throttled: Mapping[str, int]) -> Json:
    return {
        "cpu_usage": {"total_usage": total, "usage_in_kernelmode": kernel, "usage_in_usermode": user},
        "throttling_data": {
            "periods": throttled.get("nr_periods", 0),
            "throttled_periods": throttled.get("nr_throttled", 0),
            "throttled_time": throttled.get("throttled_time", 0),
        },
    }


def _set(**values: Any) -> Json:
    """What is not nothing: docker leaves zeros out here."""
    return {key: value for key, value in values.items() if value}


def _within(limit: int, memory: int) -> int:
    return min(limit, memory) if memory else limit


def _number(texts: Mapping[str, str], name: str) -> int:
    text = texts.get(name, "").strip()
    if text == "max":
        return _MOST
    return int(text) if text.isdecimal() else 0


def _pairs(text: str) -> dict[str, int]:
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.isdecimal():
            found[name] = int(value)
    return found


def _operations(text: str) -> list[Json]:
    """Lines such as "8:0 Read 4096"."""
    entries = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3:
            major, _, minor = words[0].partition(":")
            entry = {"major": int(major), "minor": int(minor), "op": words[1], "value": int(words[2])}
            entries.append(entry)
    return entries


def _bytes_2(text: str) -> list[Json]:
    """Lines such as "8:0 rbytes=4096 wbytes=0 …"."""
    entries = []
    for line in text.splitlines():
        device, *fields = line.split()
        major, _, minor = device.partition(":")
        values = dict(field.partition("=")[::2] for field in fields)
        if "rbytes" in values:
            entries += [
                {"major": int(major), "minor": int(minor), "op": op, "value": int(values.get(key, 0))}
                for op, key in (("read", "rbytes"), ("write", "wbytes"))
            ]
    return entries
