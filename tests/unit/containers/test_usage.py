"""From the kernel's files about usage to what the API shows, for control groups of both versions."""

from lading.containers.usage import Processors, interfaces, measured, processors

_MOST = (1 << 64) - 1

_STAT = """cpu  100 0 50 1000 10 0 5 3 0 0
cpu0 50 0 25 500 5 0 2 1 0 0
cpu1 50 0 25 500 5 0 3 2 0 0
intr 12345
"""
_NET = """Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier
    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0
  eth0:123456 11 1 2 0 0 0 0 7890 12 3 4 0 0 0 0
"""


def test_the_machines_time() -> None:
    assert processors(_STAT) == Processors(11_650_000_000, 2)
    assert processors("") == Processors(0, 0)


def test_interfaces_without_the_loopback() -> None:
    assert interfaces(_NET) == {
        "eth0": {
            "rx_bytes": 123456,
            "rx_packets": 11,
            "rx_errors": 1,
            "rx_dropped": 2,
            "tx_bytes": 7890,
            "tx_packets": 12,
            "tx_errors": 3,
            "tx_dropped": 4,
        }
    }


def test_version_2() -> None:
    texts = {
        "cpu.stat": "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 7\n"
        "nr_throttled 2\nthrottled_usec 40\n",
        "memory.current": "4096000\n",
        "memory.max": "max\n",
        "memory.stat": "anon 100\nfile 200\ninactive_file 50\nnot_shown 5\n",
        "memory.events": "low 0\noom 3\noom_kill 1\n",
        "io.stat": "8:0 rbytes=1024 wbytes=2048 rios=1 wios=2 dbytes=0 dios=0\n253:1\n",
        "pids.current": "5\n",
        "pids.max": "max\n",
    }
    shown = measured(texts, 2, 8_000_000, Processors(99, 2))
    assert shown["cpu_stats"] == {
        "cpu_usage": {
            "total_usage": 5_000_000,
            "usage_in_kernelmode": 2_000_000,
            "usage_in_usermode": 3_000_000,
        },
        "system_cpu_usage": 99,
        "online_cpus": 2,
        "throttling_data": {"periods": 7, "throttled_periods": 2, "throttled_time": 40_000},
    }
    memory = shown["memory_stats"]
    assert (memory["usage"], memory["limit"], memory["failcnt"]) == (4_096_000, 8_000_000, 3)
    assert "max_usage" not in memory
    assert (memory["stats"]["anon"], memory["stats"]["inactive_file"], memory["stats"]["slab"]) == (
        100,
        50,
        0,
    )
    assert "not_shown" not in memory["stats"]
    assert shown["pids_stats"] == {"current": 5, "limit": _MOST}
    block = shown["blkio_stats"]
    assert block.pop("io_service_bytes_recursive") == [
        {"major": 8, "minor": 0, "op": "read", "value": 1024},
        {"major": 8, "minor": 0, "op": "write", "value": 2048},
    ]
    assert set(block.values()) == {None}
    assert len(block) == 7


def test_version_1() -> None:
    texts = {
        "cpuacct.usage": "777\n",
        "cpuacct.usage_percpu": "700 77 \n",
        "cpuacct.stat": "user 3\nsystem 4\n",
        "cpu.stat": "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n",
        "memory.usage_in_bytes": "10\n",
        "memory.max_usage_in_bytes": "20\n",
        "memory.limit_in_bytes": "9223372036854771712\n",
        "memory.failcnt": "0\n",
        "memory.stat": "cache 5\ntotal_inactive_file 6\nhierarchical_memory_limit 7\n",
        "blkio.throttle.io_service_bytes_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
        "pids.current": "1\n",
        "pids.max": "max\n",
    }
    shown = measured(texts, 1, 100, Processors(0, 0))
    assert shown["cpu_stats"]["cpu_usage"] == {
        "total_usage": 777,
        "percpu_usage": [700, 77],
        "usage_in_kernelmode": 40_000_000,
        "usage_in_usermode": 30_000_000,
    }
    assert shown["cpu_stats"]["throttling_data"]["throttled_time"] == 3
    assert "system_cpu_usage" not in shown["cpu_stats"]
    memory = shown["memory_stats"]
    assert (memory["usage"], memory["max_usage"], memory["limit"]) == (10, 20, 100)
    assert "failcnt" not in memory
    assert memory["stats"]["total_inactive_file"] == 6
    assert shown["pids_stats"] == {"current": 1}
    block = shown["blkio_stats"]
    assert [entry["op"] for entry in block["io_service_bytes_recursive"]] == ["Read", "Write"]
    assert block["io_serviced_recursive"] == []


def test_files_that_are_gone_are_zeros() -> None:
    for version in (1, 2):
        shown = measured({}, version, 100, Processors(0, 0))
        assert shown["cpu_stats"]["cpu_usage"]["total_usage"] == 0
        assert shown["pids_stats"] == {}
