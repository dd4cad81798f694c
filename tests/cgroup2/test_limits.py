"""Limits and isolation under control groups of version 2, in a real kernel that has no others."""

import dataclasses
import json
from pathlib import Path

import pytest
from tests.cgroup2 import machine
from tests.cgroup2.initramfs import Initramfs

from lading.containers.usage import Processors, measured
from lading.runtime.filters import Filters
from lading.runtime.spec import (
    HostFacts,
    Namespaces,
    SpecRequest,
    User,
    build,
    environment,
    granted,
    limit_files,
    seccomp,
    validate,
)
from lading.runtime.spec.capabilities import ALL
from lading.schema.container import ContainerConfig, HostConfig

_MEBIBYTE = 1024 * 1024
_FACTS = HostFacts(
    cgroup_version=2, cpus=1, memory=0, machine="x86_64", kernel=(6, 1), capabilities=frozenset(ALL)
)
_SECTION = "=== "

_CONTAINERS = {
    "limited": (
        HostConfig(
            memory=64 * _MEBIBYTE,
            memory_swap=96 * _MEBIBYTE,
            memory_reservation=32 * _MEBIBYTE,
            nano_cpus=500_000_000,
            cpu_shares=512,
            cpuset_cpus="0",
            pids_limit=50,
        ),
        "cd /sys/fs/cgroup;"
        " grep . memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max",
    ),
    "unlimited": (HostConfig(), "cd /sys/fs/cgroup; grep . memory.max memory.swap.max cpu.max pids.max"),
    "hungry": (
        HostConfig(memory=16 * _MEBIBYTE, memory_swap=16 * _MEBIBYTE),
        "head -c 64m /dev/zero | tail -c 64m > /dev/null; echo $?;"
        " grep oom_kill /sys/fs/cgroup/memory.events",
    ),
    "crowded": (HostConfig(pids_limit=5), "for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; echo all"),
    "confined": (
        HostConfig(),
        "cat /proc/self/cgroup; grep Seccomp: /proc/self/status; grep cgroup2 /proc/mounts;"
        " mkdir /sys/fs/cgroup/inner; mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg; unshare -U true",
    ),
    "privileged": (
        HostConfig(privileged=True),
        "mkdir /sys/fs/cgroup/inner && echo made; mknod /tmp/log c 1 11; head -c 1 /tmp/log | wc -c",
    ),
}

_LIVE = HostConfig(
    memory=48 * _MEBIBYTE,
    memory_swap=-1,
    memory_reservation=24 * _MEBIBYTE,
    nano_cpus=250_000_000,
    cpu_shares=2048,
    cpuset_cpus="0",
    pids_limit=0,
)
_CHANGED = (
    *("memory", "memory_swap", "memory_reservation", "nano_cpus", "cpu_shares", "cpuset_cpus", "pids_limit"),
)
_USAGE = (
    "cpu.stat",
    "memory.stat",
    "memory.current",
    "memory.max",
    "memory.events",
    "io.stat",
    "pids.current",
)
_PART = "--- "


def _live_script() -> str:
    """What happens to a container that runs: new limits, a halt, and a look at what it has used."""
    lines = ["crun run --detach --bundle /box/live live </dev/null >/dev/null 2>&1"]
    lines.append("cd /sys/fs/cgroup/lading/live")
    for _, name, text in limit_files(_LIVE, _CHANGED, 2, {}):
        lines.append(f"echo '{text}' > {name} || echo refused {name}")
    lines.append("grep -H . memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max")
    for word in ("1", "0"):
        lines += [f"echo {word} > cgroup.freeze", "sleep 1", f"echo {word}-$(grep frozen cgroup.events)"]
    lines += [f"echo '{_PART}{name}'; cat {name}" for name in _USAGE]
    lines += [f"echo '{_PART}end'", "cd /", "crun delete --force live", "echo ended 0"]
    return "\n".join(lines)


def _files() -> Initramfs:
    files = Initramfs()
    busybox = Path("/bin/busybox").read_bytes()
    files.file("box/root/bin/busybox", busybox, 0o755)
    for applet in "sh cat grep head tail wc sleep mkdir mknod unshare true".split():
        files.link(f"box/root/bin/{applet}", "busybox")
    for place in ("proc", "sys", "dev", "tmp"):
        files.directory(f"box/root/{place}")
    for name, (host, script) in _CONTAINERS.items():
        files.file(f"box/{name}/config.json", json.dumps(_spec(name, host, script)))
    live = HostConfig(memory=64 * _MEBIBYTE, memory_swap=64 * _MEBIBYTE, pids_limit=9)
    files.file("box/live/config.json", json.dumps(_spec("live", live, "while true; do sleep 1; done")))
    return files


def _spec(name: str, host: HostConfig, script: str) -> dict[str, object]:
    config = ContainerConfig(hostname=name)
    host.network_mode, host.shm_size = "none", _MEBIBYTE
    assert validate(ContainerConfig(), host, _FACTS) == []
    rights = frozenset(granted(None, None, privileged=host.privileged, known=ALL))
    annotations = Filters().annotation(seccomp.default(rights, "x86_64")) or {}
    request = SpecRequest(
        container_id=name,
        config=config,
        host=host,
        args=["sh", "-c", script],
        env=environment(config, "/"),
        rootfs="/box/root",
        namespaces=Namespaces(),
        user=User(),
        cgroup_path=f"/lading/{name}",
        facts=_FACTS,
        annotations={} if host.privileged else annotations,
    )
    return build(request)


@dataclasses.dataclass(frozen=True)
class Told:
    """What each container said, its last line being how it ended."""

    sections: dict[str, list[str]]

    def values(self, name: str) -> dict[str, str]:
        return dict(line.split(":", 1) for line in self.sections[name] if ":" in line)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One boot for all tests."""
    if reason := machine.missing():
        pytest.skip(reason)
    image = machine.kernel()
    if image is None:
        pytest.skip("there is no kernel to boot: set LADING_TEST_KERNEL")
    script = "\n".join(
        f"echo '{_SECTION}{name}'; crun run --bundle /box/{name} {name} 2>&1; echo ended $?"
        for name in _CONTAINERS
    )
    script += f"\necho '{_SECTION}live'\n{_live_script()}"
    shown = machine.run(_files(), script, image, tmp_path_factory.mktemp("machine"))
    parts = (part.splitlines() for part in shown.split(_SECTION)[1:])
    return Told({lines[0]: lines[1:] for lines in parts})


def test_limits_are_written_as_version_two_wants_them(told: Told) -> None:
    values = told.values("limited")
    assert 10 <= int(values.pop("cpu.weight")) <= 60
    assert values == {
        "memory.max": str(64 * _MEBIBYTE),
        # Without the memory, which docker counts in.
        "memory.swap.max": str(32 * _MEBIBYTE),
        "memory.low": str(32 * _MEBIBYTE),
        "cpu.max": "50000 100000",
        "cpuset.cpus": "0",
        "pids.max": "50",
    }


def test_without_wishes_nothing_is_limited(told: Told) -> None:
    assert told.values("unlimited") == {
        "memory.max": "max",
        "memory.swap.max": "max",
        "cpu.max": "max 100000",
        "pids.max": "max",
    }


def test_the_kernel_kills_who_takes_more_memory(told: Told) -> None:
    assert told.sections["hungry"] == ["Killed", "137", "oom_kill 1", "ended 0"]


def test_more_tasks_than_allowed_cannot_be_made(told: Told) -> None:
    assert "all" not in told.sections["crowded"]
    assert any("Resource temporarily unavailable" in line for line in told.sections["crowded"])


def test_a_container_sees_its_own_group_only_and_cannot_change_it(told: Told) -> None:
    lines = told.sections["confined"]
    assert lines[0] == "0::/"
    assert lines[1] == "Seccomp:\t2"
    assert lines[2].startswith("cgroup /sys/fs/cgroup cgroup2 ro,") or " cgroup2 ro," in lines[2]
    assert "Read-only file system" in lines[3]


def test_devices_and_namespaces_are_out_of_reach(told: Told) -> None:
    lines = told.sections["confined"]
    assert "/tmp/kmsg: Operation not permitted" in lines[4]
    assert "unshare" in lines[5]
    assert "Operation not permitted" in lines[5]
    assert lines[6] == "ended 1"


def test_a_privileged_container_reaches_both(told: Told) -> None:
    assert told.sections["privileged"] == ["made", "1", "ended 0"]


def test_limits_change_while_a_container_runs(told: Told) -> None:
    values = told.values("live")
    shown = {name: values[name] for name in ("memory.max", "memory.swap.max", "memory.low", "cpu.max")}
    assert shown == {
        "memory.max": str(48 * _MEBIBYTE),
        "memory.swap.max": "max",
        "memory.low": str(24 * _MEBIBYTE),
        "cpu.max": "25000 100000",
    }
    assert (values["cpu.weight"], values["cpuset.cpus"], values["pids.max"]) == ("79", "0", "max")
    assert not [line for line in told.sections["live"] if "refused" in line]


def test_a_container_comes_to_a_halt_and_goes_on(told: Told) -> None:
    lines = told.sections["live"]
    assert "1-frozen 1" in lines
    assert "0-frozen 0" in lines


def test_what_a_container_has_used(told: Told) -> None:
    whole = "\n".join(told.sections["live"])
    texts = dict(part.split("\n", 1) for part in whole.split(_PART)[1:-1])
    assert set(texts) == set(_USAGE)
    shown = measured(texts, 2, 512 * _MEBIBYTE, Processors(1, 1))
    assert shown["cpu_stats"]["cpu_usage"]["total_usage"] > 0
    assert shown["memory_stats"]["limit"] == 48 * _MEBIBYTE
    assert 0 < shown["memory_stats"]["usage"] < 48 * _MEBIBYTE
    assert shown["memory_stats"]["stats"]["anon"] > 0
    assert 1 <= shown["pids_stats"]["current"] <= 3
