"""Limits of running containers in the words of both versions of control groups."""

import pytest

from lading.runtime.spec import limit_files
from lading.schema.container import HostConfig, ThrottleDevice

_MIB = 1024 * 1024


def _files(host: HostConfig, *changed: str, version: int = 2) -> dict[str, str]:
    return {file.name: file.text for file in limit_files(host, changed, version, {"/dev/x": (8, 16)})}


@pytest.mark.parametrize(
    ("host", "changed", "files"),
    [
        (
            HostConfig(memory=64 * _MIB, memory_swap=96 * _MIB),
            ["memory"],
            {"memory.max": str(64 * _MIB), "memory.swap.max": str(32 * _MIB)},
        ),
        (HostConfig(memory=64 * _MIB, memory_swap=-1), ["memory_swap"], {"memory.swap.max": "max"}),
        (HostConfig(memory_reservation=_MIB), ["memory_reservation"], {"memory.low": str(_MIB)}),
        (HostConfig(cpu_shares=1024), ["cpu_shares"], {"cpu.weight": "39"}),
        (HostConfig(cpu_shares=2), ["cpu_shares"], {"cpu.weight": "1"}),
        (HostConfig(cpu_shares=262144), ["cpu_shares"], {"cpu.weight": "10000"}),
        (HostConfig(nano_cpus=1_500_000_000), ["nano_cpus"], {"cpu.max": "150000 100000"}),
        (HostConfig(cpu_quota=20000, cpu_period=50000), ["cpu_quota"], {"cpu.max": "20000 50000"}),
        (HostConfig(cpu_quota=-1), ["cpu_quota"], {"cpu.max": "max 100000"}),
        (HostConfig(cpuset_cpus="0-1"), ["cpuset_cpus"], {"cpuset.cpus": "0-1"}),
        (HostConfig(pids_limit=0), ["pids_limit"], {"pids.max": "max"}),
        (HostConfig(blkio_weight=500), ["blkio_weight"], {"io.weight": "default 4950"}),
        (
            HostConfig(blkio_device_read_bps=[ThrottleDevice(path="/dev/x", rate=9)]),
            ["blkio_device_read_bps"],
            {"io.max": "8:16 rbps=9"},
        ),
    ],
)
def test_version_2(host: HostConfig, changed: list[str], files: dict[str, str]) -> None:
    assert _files(host, *changed) == files


def test_what_did_not_change_is_not_written() -> None:
    host = HostConfig(memory=64 * _MIB, memory_swap=-1, cpu_shares=5, pids_limit=4, cpuset_cpus="0")
    assert _files(host, "pids_limit", version=1) == {"pids.max": "4"}


def test_version_1_lifts_limits() -> None:
    host = HostConfig(memory=64 * _MIB, memory_swap=-1, cpu_quota=-1)
    assert _files(host, "memory_swap", "cpu_quota", version=1) == {
        "memory.memsw.limit_in_bytes": "-1",
        "cpu.cfs_quota_us": "-1",
    }
