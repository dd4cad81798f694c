"""Every field of a container's configuration: what it does inside, how it is shown, what is refused.

All of it through the docker CLI. docs/run-flags.md says which test proves which flag.
"""

import contextlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker.types import Ulimit
from tests.engine.engine import IMAGE, Engine, cli_version, wait_for

V1 = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
FUSE = Path("/dev/fuse")
"""A device that no container has unless asked."""
_SENT_SINCE = {25: r"--(ip6?|link-local-ip) |--device \w+\.com/", 28: "--device-(read|write)-"}
"""What older docker commands take without a word, and keep to themselves."""


def _docker(engine: Engine, *words: str, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
    """Runs the docker command, which may be too old to know the flag in question."""
    done = engine.docker(*words, check=False)
    for version, flags in _SENT_SINCE.items():
        if cli_version() < version and re.search(flags, " ".join(words)):
            pytest.skip(f"the docker command sends this from version {version} on")
    if b"unknown flag" in done.stderr:
        pytest.skip(done.stderr.decode().partition("\n")[0])
    assert not check or done.returncode == 0, done.stderr.decode()
    return done


def _run(engine: Engine, flags: str, script: str) -> str:
    return _docker(engine, "run", "--rm", *flags.split(), IMAGE, "sh", "-c", script).stdout.decode()


INSIDE: dict[str, tuple[str, str, str]] = {
    "sysctl": (
        "--sysctl net.core.somaxconn=99 --sysctl kernel.msgmax=1234",
        "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax",
        "99\n1234\n",
    ),
    "shm-size": ("--shm-size 1m", "df -k /dev/shm | awk 'NR==2{print $2}'", "1024\n"),
    "ipc-none": ("--ipc none", "grep -c ' /dev/shm ' /proc/mounts || true", "0\n"),
    "hostname": (
        "--hostname box --domainname example.com",
        "hostname; hostname -f; cat /proc/sys/kernel/domainname",
        "box\nbox.example.com\nexample.com\n",
    ),
    "no-new-privileges": (
        "--security-opt no-new-privileges",
        "grep NoNewPrivs /proc/self/status",
        "NoNewPrivs:\t1\n",
    ),
    "seccomp-unconfined": (
        "--security-opt seccomp=unconfined",
        "grep Seccomp: /proc/self/status",
        "Seccomp:\t0\n",
    ),
    "systempaths": (
        "--security-opt systempaths=unconfined",
        "grep -c ' /proc/' /proc/mounts; head -c 1 /proc/timer_list | wc -c",
        "0\n1\n",
    ),
    "ulimit": (
        "--ulimit nofile=100:200 --ulimit core=0",
        "ulimit -n; ulimit -Hn; ulimit -c",
        "100\n200\n0\n",
    ),
    "device": (
        "--device /dev/fuse:/dev/other:r",
        "stat -c '%F %t:%T' /dev/other; true < /dev/other && echo read; true > /dev/other || echo kept",
        "character special file a:e5\nread\nkept\n",
    ),
    "oom-score-adj": ("--oom-score-adj 500", "cat /proc/self/oom_score_adj", "500\n"),
    "cpuset": (
        "--cpuset-cpus 0 --cpuset-mems 0",
        "grep -h allowed_list /proc/self/status",
        "Cpus_allowed_list:\t0\nMems_allowed_list:\t0\n",
    ),
    "dns": (
        "--dns 192.0.2.1 --dns-search example.com --dns-option ndots:3",
        "cat /etc/resolv.conf",
        "nameserver 192.0.2.1\nsearch example.com\noptions ndots:3\n",
    ),
    "add-host": (
        "--add-host a:192.0.2.7 --add-host gateway:host-gateway",
        "grep -c '192.0.2.7\ta$' /etc/hosts; ping -c1 -w2 gateway > /dev/null && echo reached",
        "1\nreached\n",
    ),
    "mac-address": (
        "--mac-address 92:d0:c6:0a:29:33",
        "cat /sys/class/net/eth0/address",
        "92:d0:c6:0a:29:33\n",
    ),
    "link-local-ip": (
        "--link-local-ip 169.254.77.1",
        "ip -o -4 addr show eth0 | grep -o 'inet 169.254[0-9./]*'",
        "inet 169.254.77.1/16\n",
    ),
    "driver-opt": (
        "--network name=bridge,driver-opt=com.docker.network.endpoint.ifname=wan0,"
        "driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1",
        "ls /sys/class/net; cat /proc/sys/net/ipv4/conf/wan0/log_martians",
        "lo\nwan0\n1\n",
    ),
    "group-add": ("--group-add 7 --group-add 99 --user 5:5", "id -G", "5 7 99\n"),
    "user": ("--user 12:34 --workdir /tmp/made/here", "id -u; id -g; pwd", "12\n34\n/tmp/made/here\n"),
    "read-only": (
        "--read-only --tmpfs /t:size=1m,mode=0700,exec",
        "touch /a 2>/dev/null || echo kept; touch /t/a; grep -o 'size=1024k,mode=700' /proc/mounts;"
        " grep ' /t ' /proc/mounts | grep -c noexec || true",
        "kept\nsize=1024k,mode=700\n0\n",
    ),
    "mount-tmpfs": (
        "--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1700",
        "grep ' /t ' /proc/mounts | grep -o 'size=1024k,mode=1700'",
        "size=1024k,mode=1700\n",
    ),
    "init": ("--init", "tr '\\0' ' ' < /proc/1/cmdline | cut -d' ' -f1", "/sbin/docker-init\n"),
    "env": ("--env A=1 --env PATH", "echo $A", "1\n"),
    "capabilities": (
        "--cap-drop ALL --cap-add NET_RAW",
        "grep CapEff /proc/self/status",
        "CapEff:\t0000000000002000\n",
    ),
    "privileged": (
        "--privileged",
        "grep Seccomp: /proc/self/status; test -e /dev/fuse && echo dev",
        "Seccomp:\t0\ndev\n",
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_inside(engine: Engine, name: str) -> None:
    flags, script, expected = INSIDE[name]
    if "/dev/fuse" in flags + script and not FUSE.exists():
        pytest.skip("this machine has no /dev/fuse")
    assert _run(engine, flags, script) == expected


@pytest.mark.skipif(not FUSE.exists(), reason="this machine has no /dev/fuse")
def test_a_device_rule_lets_a_node_be_used(engine: Engine) -> None:
    script = "mknod /f c 10 229; : < /f && echo opened"
    done = engine.docker("run", "--rm", IMAGE, "sh", "-c", script, check=False)
    assert done.stdout == b""
    done = engine.docker("run", "--rm", "--device-cgroup-rule", "c 10:229 r", IMAGE, "sh", "-c", script)
    assert done.stdout == b"opened\n"


@pytest.mark.parametrize(
    ("flag", "kind"),
    [("ipc", "ipc"), ("pid", "pid"), ("uts", "uts"), ("userns", "user"), ("cgroupns", "cgroup")],
)
def test_the_hosts_namespaces(engine: Engine, flag: str, kind: str) -> None:
    own = os.readlink(f"/proc/self/ns/{kind}")
    show = f"readlink /proc/self/ns/{kind}"
    assert _run(engine, f"--{flag} host", show).strip() == own
    if kind != "user":
        private = "--cgroupns private" if kind == "cgroup" else ""
        assert _run(engine, private, show).strip() != own


def test_namespaces_of_another_container(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "giver", "--ipc", "shareable", "-h", "giver", IMAGE, "sleep", "99")
    engine.docker("exec", "giver", "sh", "-c", "echo here > /dev/shm/note")
    show = "for kind in ipc pid net; do readlink /proc/self/ns/$kind; done"
    given = engine.docker("exec", "giver", "sh", "-c", show).stdout.decode()
    joined = "--ipc container:giver --pid container:giver --network container:giver"
    assert _run(engine, joined, show) == given
    script = "cat /dev/shm/note; hostname; ps | grep -c 'sleep 9[9]'"
    assert _run(engine, joined, script) == "here\ngiver\n1\n"


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (
            "--ipc container:{id}",
            "failed to join IPC namespace: container {id}: non-shareable IPC "
            "(hint: use IpcMode:shareable for the donor container)",
        ),
        ("--ipc container:still", "failed to join IPC namespace: container still is not running"),
        ("--pid container:still", "failed to join PID namespace: container still is not running"),
        ("--pid container:nosuch", "failed to join PID namespace: No such container: nosuch"),
    ],
)
def test_namespaces_nobody_gives(engine: Engine, mode: str, said: str) -> None:
    names = {
        "id": engine.docker("run", "-d", IMAGE, "sleep", "99").stdout.decode().strip(),
        "still": engine.docker("create", "--name", "still", IMAGE).stdout.decode().strip(),
    }
    done = engine.docker("run", *mode.format(**names).split(), IMAGE, "true", check=False)
    assert done.returncode == 125
    assert said.format(**names) in done.stderr.decode()


def test_volumes_from(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("bound\n")
    engine.docker("create", "--name", "giver", "-v", "/data", "-v", f"{tmp_path}:/bound", IMAGE)
    script = "cat /bound/file; touch /data/x && echo written"
    assert _run(engine, "--volumes-from giver", script) == "bound\nwritten\n"
    script = "ls /data; touch /data/y 2>/dev/null || echo kept"
    assert _run(engine, "--volumes-from giver:ro", script) == "x\nkept\n"


def test_a_seccomp_profile_from_a_file(engine: Engine, tmp_path: Path) -> None:
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}
    (tmp_path / "profile").write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    script = "mkdir /x 2>&1 | grep -o 'Operation not permitted'; unshare -m true && echo unshared"
    flags = f"--cap-add SYS_ADMIN --security-opt seccomp={tmp_path}/profile"
    assert _run(engine, flags, script) == "Operation not permitted\nunshared\n"


def test_masked_and_read_only_paths_by_the_api(engine: Engine) -> None:
    paths = {"MaskedPaths": ["/proc/uptime"], "ReadonlyPaths": ["/etc"]}
    script = "cat /proc/uptime; touch /etc/x 2>/dev/null || echo kept; head -c 1 /proc/timer_list | wc -c"
    status, made = engine.create(Cmd=["sh", "-c", script], HostConfig=paths)
    assert status == 201, made
    assert engine.docker("start", "-a", made["Id"]).stdout == b"kept\n1\n"
    shown = engine.get(f"/containers/{made['Id']}/json")["HostConfig"]
    assert {key: shown[key] for key in paths} == paths


def _limit(engine: Engine, name: str, v1: str, v2: str) -> str:
    """What the kernel says of a running container's limit."""
    pid = engine.get(f"/containers/{name}/json")["State"]["Pid"]
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not V1 and not controllers:
            return Path(f"/sys/fs/cgroup{path}/{v2}").read_text().strip()
        controller = v1.partition(".")[0]
        if V1 and controller in controllers.split(","):
            return Path(f"/sys/fs/cgroup/{controller}{path}/{v1}").read_text().strip()
    raise AssertionError(f"no control group for {v1}")


LIMITS = (
    ("--memory 64m --memory-swap 128m", "memory.limit_in_bytes", "memory.max", "67108864"),
    ("--memory 64m --memory-swap 128m", "memory.memsw.limit_in_bytes", "", "134217728"),
    ("--memory-reservation 32m", "memory.soft_limit_in_bytes", "memory.low", "33554432"),
    ("--memory-swappiness 7", "memory.swappiness", "", "7"),
    ("--memory 64m --oom-kill-disable", "memory.oom_control", "", "oom_kill_disable 1"),
    ("--cpus 0.5", "cpu.cfs_quota_us", "cpu.max", "50000"),
    ("--cpu-quota 20000 --cpu-period 50000", "cpu.cfs_period_us", "cpu.max", "50000"),
    ("--cpu-shares 300", "cpu.shares", "", "300"),
    ("--cpu-rt-runtime 1000 --cpu-rt-period 500000", "cpu.rt_runtime_us", "", "1000"),
    ("--pids-limit 50", "pids.max", "pids.max", "50"),
    ("--device-read-bps {disk}:1mb", "blkio.throttle.read_bps_device", "io.max", "1048576"),
    ("--device-write-bps {disk}:2mb", "blkio.throttle.write_bps_device", "io.max", "2097152"),
    ("--device-read-iops {disk}:77", "blkio.throttle.read_iops_device", "io.max", "77"),
    ("--device-write-iops {disk}:78", "blkio.throttle.write_iops_device", "io.max", "78"),
)


def _disk() -> str:
    """A whole disk of this machine."""
    for name in sorted(os.listdir("/sys/block"), key=lambda name: name.startswith(("loop", "ram"))):
        if Path(f"/dev/{name}").is_block_device():
            return f"/dev/{name}"
    pytest.skip("this machine has no block device")


@pytest.mark.parametrize(("flags", "v1", "v2", "expected"), LIMITS, ids=[limit[1] for limit in LIMITS])
def test_limits(engine: Engine, flags: str, v1: str, v2: str, expected: str) -> None:
    if not V1 and not v2:
        pytest.skip("control groups of version 2 have no such limit")
    words = flags.format(disk=_disk()).split() if "{disk}" in flags else flags.split()
    engine.docker("run", "-d", "--name", "limited", *words, IMAGE, "sleep", "99")
    assert expected in _limit(engine, "limited", v1, v2)


def test_the_parent_of_the_control_group(engine: Engine) -> None:
    parent = f"ldt{os.getpid()}"
    engine.docker("run", "-d", "--name", "child", "--cgroup-parent", parent, IMAGE, "sleep", "99")
    pid = engine.get("/containers/child/json")["State"]["Pid"]
    groups = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    assert all(f":/{parent}/" in group for group in groups)
    engine.remove_containers()
    for root, names, _ in os.walk("/sys/fs/cgroup"):
        if parent in names:
            wait_for(lambda root=root: _removed(f"{root}/{parent}"))


def _removed(group: str) -> bool:
    """Takes away an empty control group; its last one may need a moment to be gone."""
    with contextlib.suppress(OSError):
        os.rmdir(group)
    return not os.path.exists(group)


@pytest.mark.skipif(not FUSE.exists(), reason="this machine has no /dev/fuse")
def test_devices_by_the_container_device_interface(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine(f"--cdi-spec-dir={tmp_path}/cdi")
    (tmp_path / "cdi").mkdir()
    (tmp_path / "given").write_text("from the host\n")
    edits = {
        "env": ["CAMERA=on"],
        "deviceNodes": [{"path": "/dev/camera", "hostPath": "/dev/fuse"}],
        "mounts": [{"hostPath": f"{tmp_path}/given", "containerPath": "/given", "options": ["ro", "bind"]}],
        "hooks": [{"hookName": "createRuntime", "path": "/bin/touch", "args": ["touch", f"{tmp_path}/ran"]}],
    }
    devices = [{"name": "front", "containerEdits": edits}]
    specification = {"cdiVersion": "0.6.0", "kind": "example.com/camera", "devices": devices}
    (tmp_path / "cdi" / "camera.json").write_text(json.dumps(specification))
    (tmp_path / "cdi" / "gpu.yaml").write_text(
        "kind: nvidia.com/gpu\ndevices:\n- name: all\n  containerEdits:\n    env:\n    - GPUS=all\n"
    )
    script = "cat /given; echo $CAMERA $GPUS; : < /dev/camera && echo opened"
    shown = _run(engine, "--device example.com/camera=front --gpus all", script)
    assert shown == "from the host\non all\nopened\n"
    assert (tmp_path / "ran").exists()
    assert engine.get("/info")["CDISpecDirs"] == [f"{tmp_path}/cdi"]


_SETTINGS = "invalid config for network bridge: invalid endpoint settings:\n"
_MOUNT = 'invalid mount config for type "bind": '
_CPUS = "0" if os.cpu_count() == 1 else f"0-{(os.cpu_count() or 1) - 1}"
_NO_APPARMOR = not Path("/sys/kernel/security/apparmor").exists()
REFUSED: tuple[tuple[str, str], ...] = (
    ("--gpus all", 'could not select device driver "" with capabilities: [[gpu]]'),
    ("--device vendor.com/tv=a", "CDI device injection failed: unresolvable CDI devices vendor.com/tv=a"),
    ("--device-read-bps /dev/null:1mb", "/dev/null is not a block device"),
    ("--ip 10.1.2.3", f"{_SETTINGS}user specified IP address is supported on user defined networks only"),
    ("--ip6 fd00::1", f"{_SETTINGS}user specified IP address is supported on user defined networks only"),
    (
        "--storage-opt size=1g",
        "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    ),
    ("--storage-opt speed=1g", "Unknown option speed"),
    ("--mount type=npipe,src=a,dst=/b", 'invalid mount config for type "npipe": mount type unknown'),
    ("--mount type=bind,src=/no/such,dst=/b", f"{_MOUNT}bind source path does not exist: /no/such"),
    ("--cpuset-cpus 999", f"Requested CPUs are not available - requested 999, available: {_CPUS}"),
    ("--cpus 999", f"Range of CPUs is from 0.01 to {os.cpu_count()}.00, as there are only {os.cpu_count()}"),
    ("--volumes-from nosuch", "No such container: nosuch"),
    ("--runtime nosuch", "unknown or invalid runtime name: nosuch"),
    ("--isolation hyperv", "invalid isolation (hyperv): linux only supports 'default'"),
    ("--oom-score-adj 5000", "Invalid value 5000, range for oom score adj is [-1000, 1000]"),
    ("--memory 4m", "Minimum memory limit allowed is 6MB"),
    ("--group-add nosuch", "unable to find group nosuch: no matching entries in group file"),
    ("--user nosuch", "unable to find user nosuch: no matching entries in passwd file"),
    ("--stop-signal NOSUCH", "Invalid signal: NOSUCH"),
    ("--tmpfs /t:nosuch", 'invalid tmpfs option ["nosuch"]'),
    ("--security-opt nosuch=1", 'invalid --security-opt 2: "nosuch=1"'),
    (
        "--sysctl net.core.somaxconn=1 --network host",
        'sysctl "net.core.somaxconn" not allowed in host network namespace',
    ),
)  # fmt: skip


if Path("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists():
    REFUSED += (
        (
            "--cpu-rt-runtime 999999 --cpu-rt-period 1000000",
            "the kernel has no 999999 microseconds of real-time scheduling left to give",
        ),
    )
if _NO_APPARMOR:
    REFUSED += (
        ("--security-opt apparmor=x", "apparmor profile x cannot be applied: this kernel has no AppArmor"),
    )


@pytest.mark.parametrize(("flags", "said"), REFUSED, ids=[flags for flags, _ in REFUSED])
def test_refused(engine: Engine, flags: str, said: str) -> None:
    done = _docker(engine, "run", "--rm", *flags.split(), IMAGE, "true", check=False)
    assert done.returncode == 125
    assert f"docker: Error response from daemon: {said}" in done.stderr.decode()


def test_an_image_for_another_platform_is_not_taken(engine: Engine) -> None:
    status, said = engine.api("POST", "/containers/create?platform=linux/s390x", {"Image": IMAGE})
    assert status == 404
    assert "was found but does not match the specified platform: wanted linux/s390x" in said["message"]
    assert engine.docker("run", "--rm", "--platform", "linux", IMAGE, "echo", "own").stdout == b"own\n"


SHOWN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--annotation a=b", {"HostConfig.Annotations": {"a": "b"}}),
    ("--add-host a:192.0.2.7", {"HostConfig.ExtraHosts": ["a:192.0.2.7"]}),
    ("--blkio-weight 0", {"HostConfig.BlkioWeight": 0}),
    (
        "--cap-add net_admin --cap-drop CHOWN",
        {"HostConfig.CapAdd": ["CAP_NET_ADMIN"], "HostConfig.CapDrop": ["CAP_CHOWN"]},
    ),
    ("--cgroup-parent /some", {"HostConfig.CgroupParent": "/some"}),
    ("--cgroupns private", {"HostConfig.CgroupnsMode": "private"}),
    ("--cpus 0.5", {"HostConfig.NanoCpus": 500_000_000}),
    ("--cpu-period 20000 --cpu-quota 5000", {"HostConfig.CpuPeriod": 20000, "HostConfig.CpuQuota": 5000}),
    ("--cpu-shares 7", {"HostConfig.CpuShares": 7}),
    ("--cpuset-cpus 0 --cpuset-mems 0", {"HostConfig.CpusetCpus": "0", "HostConfig.CpusetMems": "0"}),
    (
        "--device /dev/null:/dev/x:r",
        {
            "HostConfig.Devices": [
                {"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "r"}
            ]
        },
    ),
    ("--device-cgroup-rule c\\ 1:3\\ r", {"HostConfig.DeviceCgroupRules": ["c 1:3 r"]}),
    ("--device-read-bps /dev/x:1", {"HostConfig.BlkioDeviceReadBps": [{"Path": "/dev/x", "Rate": 1}]}),
    ("--device-write-bps /dev/x:2", {"HostConfig.BlkioDeviceWriteBps": [{"Path": "/dev/x", "Rate": 2}]}),
    ("--device-read-iops /dev/x:3", {"HostConfig.BlkioDeviceReadIOps": [{"Path": "/dev/x", "Rate": 3}]}),
    ("--device-write-iops /dev/x:4", {"HostConfig.BlkioDeviceWriteIOps": [{"Path": "/dev/x", "Rate": 4}]}),
    (
        "--gpus 2",
        {
            "HostConfig.DeviceRequests": [
                {"Driver": "", "Count": 2, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}
            ]
        },
    ),
    (
        "--dns 192.0.2.1 --dns-option ndots:1 --dns-search a.b",
        {
            "HostConfig.Dns": ["192.0.2.1"],
            "HostConfig.DnsOptions": ["ndots:1"],
            "HostConfig.DnsSearch": ["a.b"],
        },
    ),
    ("--group-add 7", {"HostConfig.GroupAdd": ["7"]}),
    ("--init", {"HostConfig.Init": True}),
    ("--ipc shareable", {"HostConfig.IpcMode": "shareable"}),
    ("--isolation default", {"HostConfig.Isolation": "default"}),
    (
        "--log-driver local --log-opt max-size=1m",
        {"HostConfig.LogConfig": {"Type": "local", "Config": {"max-size": "1m"}}},
    ),
    (
        "--memory 64m --memory-reservation 32m",
        {
            "HostConfig.Memory": 64 << 20,
            "HostConfig.MemorySwap": 128 << 20,
            "HostConfig.MemoryReservation": 32 << 20,
        },
    ),
    ("--memory-swappiness -1", {"HostConfig.MemorySwappiness": None}),
    (
        "--mount type=tmpfs,dst=/t,tmpfs-size=1m",
        {"HostConfig.Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1 << 20}}]},
    ),
    ("--network none", {"HostConfig.NetworkMode": "none"}),
    ("--oom-score-adj 9", {"HostConfig.OomScoreAdj": 9}),
    ("--pid host", {"HostConfig.PidMode": "host"}),
    ("--pids-limit 9", {"HostConfig.PidsLimit": 9}),
    ("--pids-limit -1", {"HostConfig.PidsLimit": None}),
    ("--privileged", {"HostConfig.Privileged": True, "HostConfig.MaskedPaths": None}),
    (
        "-p 127.0.0.1:8080:80 -P --expose 81/udp",
        {
            "HostConfig.PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
            "HostConfig.PublishAllPorts": True,
            "Config.ExposedPorts": {"80/tcp": {}, "81/udp": {}},
        },
    ),
    ("--read-only", {"HostConfig.ReadonlyRootfs": True}),
    (
        "--restart on-failure:3",
        {"HostConfig.RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
    ),
    ("--rm", {"HostConfig.AutoRemove": True}),
    ("--security-opt no-new-privileges", {"HostConfig.SecurityOpt": ["no-new-privileges"]}),
    ("--security-opt systempaths=unconfined", {"HostConfig.MaskedPaths": []}),
    ("--security-opt label=disable", {"HostConfig.SecurityOpt": ["label=disable"]}),
    ("--shm-size 1m", {"HostConfig.ShmSize": 1 << 20}),
    ("--sysctl net.core.somaxconn=9", {"HostConfig.Sysctls": {"net.core.somaxconn": "9"}}),
    ("--tmpfs /t:size=1m", {"HostConfig.Tmpfs": {"/t": "size=1m"}}),
    ("--ulimit nofile=9:10", {"HostConfig.Ulimits": [{"Name": "nofile", "Hard": 10, "Soft": 9}]}),
    ("--userns host", {"HostConfig.UsernsMode": "host"}),
    ("--uts host", {"HostConfig.UTSMode": "host"}),
    (
        "-v /data -v named:/named:ro",
        {"HostConfig.Binds": ["named:/named:ro"], "Config.Volumes": {"/data": {}}},
    ),
    ("--volume-driver local", {"HostConfig.VolumeDriver": "local"}),
    ("--entrypoint env", {"Config.Entrypoint": ["env"], "Path": "env", "Args": ["true"]}),
    ("-e A=1 -h box --domainname a.b", {"Config.Hostname": "box", "Config.Domainname": "a.b"}),
    ("-l a=b", {"Config.Labels.a": "b"}),
    ("-u 1:2 -w /x", {"Config.User": "1:2", "Config.WorkingDir": "/x"}),
    ("-i -t", {"Config.OpenStdin": True, "Config.Tty": True}),
    ("-a stdout", {"Config.AttachStdout": True, "Config.AttachStderr": False}),
    ("--stop-signal USR1 --stop-timeout 3", {"Config.StopSignal": "USR1", "Config.StopTimeout": 3}),
    (
        "--mac-address 92:d0:c6:0a:29:33 --link-local-ip 169.254.1.1",
        {
            "NetworkSettings.Networks.bridge.MacAddress": "92:d0:c6:0a:29:33",
            "NetworkSettings.Networks.bridge.IPAMConfig": {"LinkLocalIPs": ["169.254.1.1"]},
        },
    ),
    ("--health-cmd x --health-retries 2", {"Config.Healthcheck": {"Test": ["CMD-SHELL", "x"], "Retries": 2}}),
    ("--no-healthcheck", {"Config.Healthcheck": {"Test": ["NONE"]}}),
)


@pytest.mark.parametrize(("flags", "fields"), SHOWN, ids=[flags for flags, _ in SHOWN])
def test_shown(engine: Engine, flags: str, fields: dict[str, Any]) -> None:
    _docker(engine, "create", "--name", "shown", *shlex.split(flags), IMAGE, "true")
    view = engine.get("/containers/shown/json")
    for path, expected in fields.items():
        found = view
        for key in path.split("."):
            found = found[key]
        assert found == expected, path


def test_files_of_the_client(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=from a file\n# no variable\n")
    (tmp_path / "labels").write_text("kind=test\n")
    files = ("--env-file", f"{tmp_path}/env", "--label-file", f"{tmp_path}/labels")
    flags = (*files, "--cidfile", f"{tmp_path}/id", "--name", "filed")
    assert engine.docker("run", *flags, IMAGE, "sh", "-c", "echo $A").stdout == b"from a file\n"
    view = engine.get("/containers/filed/json")
    assert (tmp_path / "id").read_text() == view["Id"]
    assert view["HostConfig"]["ContainerIDFile"] == f"{tmp_path}/id"
    assert view["Config"]["Labels"]["kind"] == "test"


def test_how_a_container_is_asked_to_stop(engine: Engine) -> None:
    script = "trap 'echo asked; exit 5' USR1; trap '' TERM; echo ready; while :; do sleep 0.1; done"
    engine.docker("run", "-d", "--name", "polite", "--stop-signal", "USR1", IMAGE, "sh", "-c", script)
    wait_for(lambda: engine.docker("logs", "polite").stdout == b"ready\n")
    engine.docker("stop", "polite")
    assert engine.docker("logs", "polite").stdout == b"ready\nasked\n"
    assert engine.get("/containers/polite/json")["State"]["ExitCode"] == 5
    engine.docker("run", "-d", "--name", "deaf", "--stop-timeout", "0", IMAGE, "sh", "-c", script)
    wait_for(lambda: engine.docker("logs", "deaf").stdout == b"ready\n")
    engine.docker("stop", "deaf")
    assert engine.get("/containers/deaf/json")["State"]["ExitCode"] == 137


def test_what_this_kernel_lacks_is_a_warning(engine: Engine) -> None:
    status, made = engine.create(
        Cmd=["true"], HostConfig={"SecurityOpt": ["label=type:x_t"], "CpuPercent": 5, "IpcMode": "private"}
    )
    assert status == 201
    assert "linux does not support CPU percent. Percent discarded." in made["Warnings"]
    if not Path("/sys/fs/selinux/class").exists():
        assert "This kernel has no SELinux. Labels have no effect." in made["Warnings"]


def test_the_api_socket(engine: Engine) -> None:
    script = "test -S /var/run/docker.sock && echo there"
    assert _run(engine, "--use-api-socket", script) == "there\n"


def test_a_container_of_another_runtime(engine: Engine) -> None:
    runtimes = engine.get("/info")["Runtimes"]
    for runtime in runtimes:
        assert _run(engine, f"--runtime {runtime}", "echo done") == "done\n"


def test_shown_though_no_flag_asks_for_it(engine: Engine) -> None:
    host = {"Cgroup": "some", "CpuCount": 3, "ConsoleSize": [30, 100]}
    config = {"Shell": ["/bin/ash"], "OnBuild": ["RUN x"], "StdinOnce": True, "NetworkDisabled": True}
    status, made = engine.create(Cmd=["ls", "/sys/class/net"], HostConfig=host, **config)
    assert status == 201, made
    view = engine.get(f"/containers/{made['Id']}/json")
    assert {key: view["HostConfig"][key] for key in host} == host
    assert {key: view["Config"][key] for key in config} == config


def test_a_container_whose_network_is_disabled(engine: Engine) -> None:
    _, made = engine.create(Cmd=["ls", "/sys/class/net"], NetworkDisabled=True)
    assert engine.docker("start", "-a", made["Id"]).stdout == b"lo\n"


def test_docker_py_asks_for_all_kinds(engine: Engine) -> None:
    containers = engine.py.containers
    giver = containers.run(IMAGE, ["sleep", "99"], name="giver", volumes=["/data"], detach=True)
    script = (
        "ulimit -n; df -k /dev/shm | awk 'NR==2{print $2}'; cat /proc/sys/net/core/somaxconn;"
        " cat /proc/self/oom_score_adj; ls -d /data /dev/other; grep -c ' /tmp/t tmpfs' /proc/mounts;"
        " awk '$2 == \"db\"' /etc/hosts | wc -l; id -G"
    )
    shown = containers.run(
        IMAGE,
        ["sh", "-c", script],
        remove=True,
        ulimits=[Ulimit(name="nofile", soft=99, hard=99)],
        shm_size="1m",
        sysctls={"net.core.somaxconn": "77"},
        oom_score_adj=55,
        devices=["/dev/null:/dev/other:rwm"],
        volumes_from=[giver.id],
        tmpfs={"/tmp/t": "size=1m"},
        links={"giver": "db"},
        group_add=[7],
        user="5:5",
        cpu_period=20000,
        cpu_quota=5000,
        mem_limit="64m",
        pids_limit=50,
        security_opt=["no-new-privileges"],
        cap_drop=["ALL"],
    )
    assert shown.decode().split("\n") == [
        "99",
        "1024",
        "77",
        "55",
        "/data",
        "/dev/other",
        "1",
        "1",
        "5 7",
        "",
    ]


def test_shared_memory_outlives_the_engine_and_goes_with_its_container(
    new_engine: Callable[..., Engine],
) -> None:
    engine = new_engine()
    engine.docker("run", "-d", "--name", "giver", "--ipc", "shareable", IMAGE, "sleep", "99")
    engine.docker("exec", "giver", "sh", "-c", "echo here > /dev/shm/note")
    engine.kill()
    engine.start()
    assert _run(engine, "--ipc container:giver", "cat /dev/shm/note") == "here\n"
    engine.docker("restart", "-t", "0", "giver")
    assert engine.docker("exec", "giver", "ls", "/dev/shm").stdout == b""
    engine.docker("rm", "-f", "giver")
    wait_for(lambda: not any("/shm/" in mount for mount in engine.mounts()))


def test_gpus_by_the_hook_of_nvidias_toolkit(
    new_engine: Callable[..., Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "nvidia-container-runtime-hook"
    hook.write_text(f"#!/bin/sh\necho $@ > {tmp_path}/asked\ncat > {tmp_path}/state\n")
    hook.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    engine = new_engine(f"--cdi-spec-dir={tmp_path}/none")
    assert _run(engine, "--gpus 2", "echo $NVIDIA_VISIBLE_DEVICES") == "0,1\n"
    assert (tmp_path / "asked").read_text() == "prestart\n"
    assert json.loads((tmp_path / "state").read_text())["pid"] > 1
