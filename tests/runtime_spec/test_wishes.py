"""What users ask of a container's process and its limits, seen from inside and from the cgroup."""

from pathlib import Path

from tests.runtime_spec.box import FACTS, FULL, Box

from lading.runtime.spec import Namespaces
from lading.schema.container import ContainerConfig, ExecConfig, HostConfig, Ulimit

_MEBIBYTE = 1024 * 1024


def test_memory_processor_and_task_limits(box: Box) -> None:
    host = HostConfig(
        memory=64 * _MEBIBYTE,
        memory_swap=128 * _MEBIBYTE,
        memory_reservation=32 * _MEBIBYTE,
        nano_cpus=500_000_000,
        cpu_shares=512,
        cpuset_cpus="0",
        pids_limit=50,
    )
    running = box.start(host)
    assert running.limit("memory/memory.limit_in_bytes", "memory.max") == str(64 * _MEBIBYTE)
    assert running.limit("memory/memory.soft_limit_in_bytes", "memory.low") == str(32 * _MEBIBYTE)
    assert running.limit("pids/pids.max", "pids.max") == "50"
    assert running.limit("cpuset/cpuset.cpus", "cpuset.cpus") == "0"
    if FACTS.cgroup_version == 2:
        assert running.limit("", "memory.swap.max") == str(64 * _MEBIBYTE)
        assert running.limit("", "cpu.max") == "50000 100000"
    else:
        assert running.limit("memory/memory.memsw.limit_in_bytes", "") == str(128 * _MEBIBYTE)
        assert running.limit("cpu/cpu.cfs_quota_us", "") == "50000"
        assert running.limit("cpu/cpu.cfs_period_us", "") == "100000"
        assert running.limit("cpu/cpu.shares", "") == "512"


def test_without_wishes_nothing_is_limited(box: Box) -> None:
    running = box.start()
    assert running.limit("pids/pids.max", "pids.max") == "max"
    limit = running.limit("memory/memory.limit_in_bytes", "memory.max")
    assert limit == "max" or int(limit) > FACTS.memory


def test_more_tasks_than_allowed_cannot_be_made(box: Box) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; echo all"
    ended = box.run("sh", "-c", script, host=HostConfig(pids_limit=5))
    assert "all" not in ended.out
    assert "Resource temporarily unavailable" in ended.err


def test_more_memory_than_allowed_is_not_had(box: Box) -> None:
    host = HostConfig(memory=16 * _MEBIBYTE, memory_swap=16 * _MEBIBYTE)
    ended = box.run("sh", "-c", "head -c 64m /dev/zero | tail -c 64m > /dev/null; echo $?", host=host)
    assert ended.out.strip() == "137" or ended.code == 137


def test_a_read_only_root_with_writable_places(box: Box, tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.mkdir()
    mounts = [
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m", "mode=1777"]},
        {"destination": "/data", "type": "bind", "source": str(source), "options": ["rbind", "rw"]},
    ]
    host = HostConfig(readonly_rootfs=True)
    box.sh("echo x > /tmp/x; echo x > /data/x; echo x > /dev/shm/x", host=host, mounts=mounts)
    assert (source / "x").read_text() == "x\n"
    ended = box.run("sh", "-c", "echo x > /root/x", host=host)
    assert ended.code != 0
    assert "Read-only file system" in ended.err


def test_the_size_of_shared_memory(box: Box) -> None:
    shown = box.sh("grep ' /dev/shm ' /proc/mounts", host=HostConfig(shm_size=_MEBIBYTE))
    assert "size=1024k" in shown
    assert "noexec" in shown
    assert box.sh("grep -c ' /dev/shm ' /proc/mounts || true", host=HostConfig(ipc_mode="none")) == "0\n"


def test_users_and_groups(box: Box) -> None:
    def ids(user: str, *groups: str) -> str:
        host = HostConfig(group_add=list(groups))
        return box.sh("echo $(id -u):$(id -g):$(id -G)", config=ContainerConfig(user=user), host=host).strip()

    assert ids("") == "0:0:0 2000"
    assert ids("sailor") == "1000:100:100 6 2000"
    assert ids("1000") == "1000:100:100 6 2000"
    assert ids("sailor:disk") == "1000:6:6"
    assert ids("4321:17") == "4321:17:17"
    assert ids("4321", "deck", "77") == "4321:0:0 77 2000"


def test_the_environment(box: Box) -> None:
    config = ContainerConfig(user="sailor", env=["A=1", "PATH=/bin"])
    names = dict(line.split("=", 1) for line in box.sh("env", config=config).splitlines())
    assert names["A"] == "1"
    assert names["PATH"] == "/bin"
    assert names["HOME"] == "/home/sailor"
    assert names["HOSTNAME"] == "box"
    assert "TERM" not in names


def test_limits_of_processes(box: Box) -> None:
    host = HostConfig(
        ulimits=[Ulimit(name="nofile", soft=100, hard=200), Ulimit(name="core", soft=0, hard=-1)]
    )
    assert box.sh("ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc", host=host).split() == [
        "100",
        "200",
        "0",
        "unlimited",
    ]
    # The hard one: Go's runtime raises the soft one for itself, and runc 1.1 at times leaves it so.
    assert box.start(host).execute("sh", "-c", "ulimit -Hn").out == "200\n"


def test_kernel_settings_of_its_own_namespaces(box: Box) -> None:
    host = HostConfig(sysctls={"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096"})
    config = ContainerConfig(domainname="harbour.example")
    shown = box.sh(
        "cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax kernel/domainname"
        " net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range",
        host=host,
        config=config,
    )
    assert shown.split() == ["1", "4096", "harbour.example", "0", "0", "2147483647"]


def test_an_init_reaps_and_is_process_one(box: Box, tmp_path: Path) -> None:
    init = tmp_path / "init"
    init.write_text('#!/bin/sh\n[ "$1" = -- ] && shift\necho init\nexec "$@"\n')
    init.chmod(0o755)
    host = HostConfig(init=True)
    assert box.sh("cat /sbin/docker-init | wc -l", host=host, init_path=str(init)) == "init\n4\n"
    shared = HostConfig(init=True, pid_mode="host")
    wishes = {"init_path": str(init), "namespaces": Namespaces(pid="host")}
    assert box.sh("echo alone", host=shared, **wishes) == "alone\n"


def test_a_missing_working_directory_is_made(box: Box) -> None:
    config = ContainerConfig(working_dir="/new/deep")
    assert box.sh("pwd", config=config) == "/new/deep\n"


def test_files_of_the_engine_lie_over_a_volume_at_etc(box: Box, tmp_path: Path) -> None:
    files, volume = tmp_path / "files", tmp_path / "volume"
    files.mkdir()
    volume.mkdir()
    for name in ("hosts", "hostname", "resolv.conf"):
        (files / name).write_text(f"our {name}\n")
    (volume / "passwd").write_text("theirs\n")
    mount = {"destination": "/etc/", "type": "bind", "source": str(volume), "options": ["rbind"]}
    shown = box.sh("cat /etc/hosts /etc/passwd", etc=str(files), mounts=[mount])
    assert shown == "our hosts\ntheirs\n"


def test_the_oom_score_is_not_the_engines(box: Box) -> None:
    assert box.sh("cat /proc/self/oom_score_adj", host=HostConfig(oom_score_adj=321)) == "321\n"


def test_an_exec_as_another_user_elsewhere(box: Box) -> None:
    running = box.start(config=ContainerConfig(env=["A=1", "B=2"]))
    wish = ExecConfig(
        cmd=["sh", "-c", "id -u; pwd; echo $A$B; echo $HOME"], user="sailor", working_dir="/tmp", env=["B=3"]
    )
    assert running.box.execute(running, wish).out.split() == ["1000", "/tmp", "13", "/home/sailor"]


def test_a_privileged_exec_in_an_ordinary_container(box: Box) -> None:
    running = box.start()
    shown = running.execute("sh", "-c", "grep CapEff /proc/self/status", privileged=True).out
    assert shown.split()[1] == FULL
