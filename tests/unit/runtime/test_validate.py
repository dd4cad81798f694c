"""What is refused before a container is made, and what is dropped with a warning."""

import dataclasses
from typing import Any

import pytest
from tests.unit.runtime.requests import FACTS

from lading.errors import InvalidParameter
from lading.runtime.spec import FEATURES, validate
from lading.runtime.spec.security import SecurityOptions, parse_security_options
from lading.schema.container import (
    ContainerConfig,
    DeviceMapping,
    HealthConfig,
    HostConfig,
    PortBinding,
    ThrottleDevice,
    Ulimit,
    WeightDevice,
)

_MEBIBYTE = 1024 * 1024
_V2 = dataclasses.replace(
    FACTS,
    features=FEATURES - {"swappiness", "oom-kill-disable", "kernel-memory-tcp", "cpu-realtime"},
)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"memory": 5 * _MEBIBYTE}, "Minimum memory limit allowed is 6MB"),
        ({"memory": -1}, "Minimum memory limit allowed is 6MB"),
        (
            {"memory": 64 * _MEBIBYTE, "memory_swap": 32 * _MEBIBYTE},
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            {"memory_swap": 32 * _MEBIBYTE},
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        ({"memory_reservation": _MEBIBYTE}, "Minimum memory reservation allowed is 6MB"),
        (
            {"memory": 64 * _MEBIBYTE, "memory_reservation": 65 * _MEBIBYTE},
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ),
        ({"memory_swappiness": 101}, "Invalid value: 101, valid memory swappiness range is 0-100"),
        (
            {"nano_cpus": 3_000_000_000},
            "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
        ),
        ({"nano_cpus": -1}, "Range of CPUs is from 0.01 to 2.00"),
        (
            {"nano_cpus": 1, "cpu_period": 1000},
            "Conflicting options: Nano CPUs and CPU Period cannot both be set",
        ),
        (
            {"nano_cpus": 1, "cpu_quota": 1000},
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ),
        ({"cpu_period": 999}, "CPU cfs period can not be less than 1ms"),
        ({"cpu_period": 1_000_001}, "CPU cfs period can not be less than 1ms"),
        ({"cpu_quota": 999}, "CPU cfs quota can not be less than 1ms"),
        ({"cpu_shares": -1}, "invalid CPU shares"),
        ({"cpuset_cpus": "0-2"}, "Requested CPUs are not available - requested 0-2, available: 0-1"),
        ({"cpuset_cpus": "1-0"}, "Invalid value 1-0 for cpuset cpus: invalid format: 1-0"),
        ({"cpuset_cpus": "9" * 5000}, "invalid format"),
        ({"device_cgroup_rules": [f"c {'9' * 5000}:1 r"]}, "invalid device cgroup rule format"),
        ({"cpuset_cpus": "a,b"}, "Invalid value a,b for cpuset cpus"),
        ({"cpuset_cpus": "0,"}, "Invalid value 0, for cpuset cpus"),
        ({"cpuset_mems": "1"}, "Requested memory nodes are not available - requested 1, available: 0"),
        ({"blkio_weight": 9}, "Range of blkio weight is from 10 to 1000"),
        (
            {"blkio_weight_device": [WeightDevice(path="/dev/a", weight=1001)]},
            "Range of blkio weight is from 10 to 1000",
        ),
        (
            {"io_maximum_bandwidth": 1},
            "invalid option: QoS maximum bandwidth configuration is not supported on linux",
        ),
        ({"shm_size": -1}, "SHM size can not be less than 0"),
        ({"oom_score_adj": 1001}, "Invalid value 1001, range for oom score adj is [-1000, 1000]"),
        ({"ipc_mode": "wrong"}, "invalid IPC mode: wrong"),
        ({"ipc_mode": "container:"}, "invalid IPC mode: container:"),
        ({"pid_mode": "private"}, "invalid PID mode: private"),
        ({"uts_mode": "container:x"}, "invalid UTS mode: container:x"),
        ({"cgroupns_mode": "wrong"}, "invalid cgroup namespace mode: wrong"),
        ({"userns_mode": "private"}, "invalid user namespace mode: private"),
        ({"network_mode": "container:"}, "invalid container format container:<name|id>"),
        ({"isolation": "hyperv"}, "invalid isolation (hyperv): linux only supports 'default'"),
        ({"cap_add": ["x"]}, 'invalid CapAdd: unknown capability: "CAP_X"'),
        ({"ulimits": [Ulimit(name="files")]}, "invalid ulimit type: files"),
        (
            {"ulimits": [Ulimit(name="nofile", soft=5, hard=3)]},
            "ulimit soft limit must be less than or equal to hard limit: 5 > 3",
        ),
        ({"ulimits": [Ulimit(name="nofile", soft=-1, hard=3)]}, "ulimit soft limit must be"),
        ({"device_cgroup_rules": ["x 1:2 r"]}, "invalid device cgroup rule format: 'x 1:2 r'"),
        (
            {"devices": [DeviceMapping(path_on_host="/dev/fuse", cgroup_permissions="rx")]},
            "bad mode specified: rx",
        ),
        ({"security_opt": ["nothing"]}, 'invalid --security-opt 1: "nothing"'),
        ({"security_opt": ["what=x"]}, 'invalid --security-opt 2: "what=x"'),
        ({"security_opt": ["systempaths=open"]}, 'invalid --security-opt 2: "systempaths=open"'),
        (
            {"security_opt": ["no-new-privileges:maybe"]},
            'invalid --security-opt 2: "no-new-privileges:maybe"',
        ),
        ({"security_opt": ["seccomp=/no/file"]}, "Decoding seccomp profile failed"),
        ({"sysctls": {"kernel.panic": "1"}}, 'sysctl "kernel.panic" is not in a separate kernel namespace'),
        ({"sysctls": {"kernel/../vm/x": "1"}}, "is not in a separate kernel namespace"),
        (
            {"network_mode": "host", "sysctls": {"net.core.somaxconn": "1"}},
            'sysctl "net.core.somaxconn" not allowed in host network namespace',
        ),
        (
            {"ipc_mode": "host", "sysctls": {"fs.mqueue.msg_max": "1"}},
            "not allowed in the hosts ipc",
        ),
        (
            {"network_mode": "container:x", "dns": ["1.1.1.1"]},
            "conflicting options: dns and the network mode",
        ),
        (
            {"network_mode": "container:x", "port_bindings": {"80/tcp": [PortBinding()]}},
            "conflicting options: port publishing and the container type network mode",
        ),
    ],
)
def test_wishes_refused(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        validate(ContainerConfig(), HostConfig(**wishes), FACTS)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("config", "host", "message"),
    [
        ({"working_dir": "relative"}, {}, "the working directory 'relative' is invalid"),
        ({"env": ["=x"]}, {}, "invalid environment variable: =x"),
        ({"env": [""]}, {}, "invalid environment variable: "),
        ({"healthcheck": HealthConfig(interval=5)}, {}, "Interval in Healthcheck cannot be less than 1ms"),
        ({"healthcheck": HealthConfig(retries=-1)}, {}, "Retries in Healthcheck cannot be negative"),
        ({"hostname": "a"}, {"uts_mode": "host"}, "conflicting options: hostname and the UTS mode"),
        (
            {"hostname": "a"},
            {"network_mode": "container:x"},
            "conflicting options: hostname and the network mode",
        ),
    ],
)
def test_contradictions(config: dict[str, Any], host: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        validate(ContainerConfig(**config), HostConfig(**host), FACTS)
    assert message in caught.value.message


def test_ordinary_wishes_pass_without_a_warning() -> None:
    host = HostConfig(
        memory=64 * _MEBIBYTE,
        memory_swap=-1,
        memory_swappiness=60,
        nano_cpus=2_000_000_000,
        cpuset_cpus="0,1",
        cpuset_mems="0",
        pids_limit=-1,
        ulimits=[Ulimit(name="nofile", soft=1, hard=-1), Ulimit(name="memlock", soft=-1, hard=-1)],
        sysctls={"net.core.somaxconn": "1", "net/ipv4/ip_forward": "1", "kernel.shmmax": "1"},
        security_opt=["no-new-privileges:true", "apparmor=unconfined", "label=disable", "seccomp=unconfined"],
        ipc_mode="container:x",
        pid_mode="container:x",
    )
    assert validate(ContainerConfig(working_dir="/x", env=["A=", "B"]), host, FACTS) == []


def test_ports_an_image_exposes_do_not_keep_it_from_another_containers_network() -> None:
    config = ContainerConfig(exposed_ports={"80/tcp": {}})
    assert validate(config, HostConfig(network_mode="container:x"), FACTS) == []


def test_version_two_drops_what_only_version_one_had() -> None:
    host = HostConfig(
        memory=64 * _MEBIBYTE, memory_swappiness=10, oom_kill_disable=True, kernel_memory_tcp=8 * _MEBIBYTE
    )
    warnings = validate(ContainerConfig(), host, _V2)
    assert len(warnings) == 3
    assert "Your kernel does not support OomKillDisable. OomKillDisable discarded." in warnings
    assert (host.memory_swappiness, host.oom_kill_disable, host.kernel_memory_tcp) == (None, None, 0)
    assert host.memory == 64 * _MEBIBYTE
    with pytest.raises(InvalidParameter, match="real-time"):
        validate(ContainerConfig(), HostConfig(cpu_realtime_runtime=5), _V2)


def test_a_kernel_without_any_controller_warns_of_each_limit() -> None:
    facts = dataclasses.replace(FACTS, features=frozenset())
    host = HostConfig(
        memory=64 * _MEBIBYTE,
        memory_swap=128 * _MEBIBYTE,
        memory_reservation=32 * _MEBIBYTE,
        cpu_shares=5,
        cpu_quota=5000,
        cpuset_cpus="0",
        pids_limit=5,
        blkio_weight=100,
        blkio_device_read_bps=[ThrottleDevice(path="/dev/a", rate=1)],
    )
    warnings = validate(ContainerConfig(), host, facts)
    assert [warning.partition("support ")[2].partition(" ")[0] for warning in warnings] == [
        "memory",
        "memory",
        "PIDs",
        "CPU",
        "CPU",
        "cpuset",
        "Block",
        "BPS",
    ]
    assert (host.memory, host.memory_swap, host.pids_limit, host.cpu_shares) == (0, -1, None, 0)
    assert (host.cpuset_cpus, host.blkio_weight, host.blkio_device_read_bps) == ("", 0, [])
    with pytest.raises(InvalidParameter, match="NanoCPUs can not be set"):
        validate(ContainerConfig(), HostConfig(nano_cpus=1), facts)


def test_swap_that_is_not_counted_is_not_limited() -> None:
    facts = dataclasses.replace(FACTS, features=FEATURES - {"swap"})
    host = HostConfig(memory=64 * _MEBIBYTE, memory_swap=128 * _MEBIBYTE)
    (warning,) = validate(ContainerConfig(), host, facts)
    assert "Memory limited without swap" in warning
    assert (host.memory, host.memory_swap) == (64 * _MEBIBYTE, -1)


def test_published_ports_of_the_hosts_network_are_pointless() -> None:
    host = HostConfig(network_mode="host", port_bindings={"80/tcp": None})
    assert validate(ContainerConfig(), host, FACTS) == [
        "Published ports are discarded when using host network mode"
    ]


def test_security_options_in_old_and_new_spelling() -> None:
    profile = '{"defaultAction": "a=b:c"}'
    assert parse_security_options(
        [
            "label:user:me",
            "label=disable",
            "disable",
            f"seccomp={profile}",
            "apparmor:mine",
            "no-new-privileges",
            "writable-cgroups=true",
            "systempaths=unconfined",
        ]
    ) == SecurityOptions(
        no_new_privileges=True,
        seccomp=profile,
        apparmor="mine",
        labels=("user:me", "disable", "disable"),
        system_paths_open=True,
        writable_cgroups=True,
    )
    assert parse_security_options(["no-new-privileges=false"]).no_new_privileges is False
    assert parse_security_options(None) == SecurityOptions()
