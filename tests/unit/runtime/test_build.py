"""The whole of config.json, and the process of an exec."""

from typing import Any

import pytest
from tests.unit.runtime.requests import FACTS, request

from lading.errors import InvalidParameter
from lading.runtime.spec import DeviceNode, Namespaces, User, build, exec_process
from lading.runtime.spec.capabilities import ALL, DEFAULT
from lading.schema.container import (
    ContainerConfig,
    ExecConfig,
    HostConfig,
    ThrottleDevice,
    Ulimit,
    WeightDevice,
)


def _mounts(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {mount["destination"]: mount for mount in spec["mounts"]}


def test_a_plain_container() -> None:
    spec = build(request())
    process, linux = spec["process"], spec["linux"]
    assert process["args"] == ["true"]
    assert process["cwd"] == "/"
    assert process["terminal"] is False
    assert process["noNewPrivileges"] is False
    assert process["oomScoreAdj"] == 0
    assert process["user"] == {"uid": 0, "gid": 0, "additionalGids": [0]}
    for kind in ("bounding", "effective", "permitted"):
        assert set(process["capabilities"][kind]) == DEFAULT
    assert process["capabilities"].keys() == {"bounding", "effective", "permitted"}
    assert spec["root"] == {"path": "/root-of-it", "readonly": False}
    assert spec["hostname"] == "box"
    assert {entry["type"] for entry in linux["namespaces"]} == {
        "mount",
        "network",
        "pid",
        "ipc",
        "uts",
        "cgroup",
    }
    assert linux["cgroupsPath"] == "/lading/c1"
    assert linux["resources"].keys() == {"devices"}
    assert linux["sysctl"] == {
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.ping_group_range": "0 2147483647",
    }
    assert {"/proc/kcore", "/proc/keys", "/sys/firmware"} <= set(linux["maskedPaths"])
    assert {"/proc/sys", "/proc/sysrq-trigger"} <= set(linux["readonlyPaths"])
    assert "ro" in _mounts(spec)["/sys"]["options"]
    assert "ro" in _mounts(spec)["/sys/fs/cgroup"]["options"]


def test_a_privileged_container() -> None:
    node = DeviceNode("/dev/sda", "b", 8, 0, 0o660, 0, 6)
    profile = {"defaultAction": "SCMP_ACT_ERRNO"}
    spec = build(request(HostConfig(privileged=True), seccomp=profile, devices=[node]))
    assert spec["process"]["capabilities"]["effective"] == list(ALL)
    linux = spec["linux"]
    assert linux["maskedPaths"] == linux["readonlyPaths"] == []
    assert "seccomp" not in linux
    assert linux["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert linux["devices"][0]["fileMode"] == 0o660
    assert "rw" in _mounts(spec)["/sys"]["options"]
    assert "rw" in _mounts(spec)["/sys/fs/cgroup"]["options"]


def test_shared_and_joined_namespaces() -> None:
    wanted = Namespaces(network="/run/netns/x", pid="host", ipc="/proc/5/ns/ipc", uts="host", cgroup="host")
    config = ContainerConfig(hostname="box", domainname="example")
    spec = build(request(config=config, namespaces=wanted))
    assert spec["linux"]["namespaces"] == [
        {"type": "mount"},
        {"type": "network", "path": "/run/netns/x"},
        {"type": "ipc", "path": "/proc/5/ns/ipc"},
    ]
    # The host's name is not the container's to change.
    assert "hostname" not in spec
    assert "kernel.domainname" not in spec["linux"]["sysctl"]


@pytest.mark.parametrize("mode", ["host", "container:x"])
def test_a_network_of_others_is_not_tuned(mode: str) -> None:
    assert build(request(HostConfig(network_mode=mode)))["linux"]["sysctl"] == {}


def test_kernel_settings_of_the_user_win() -> None:
    host = HostConfig(network_mode="my-net", sysctls={"net.ipv4.ip_unprivileged_port_start": "1024"})
    config = ContainerConfig(hostname="box", domainname="example")
    sysctl = build(request(host, config))["linux"]["sysctl"]
    assert sysctl["net.ipv4.ip_unprivileged_port_start"] == "1024"
    assert sysctl["kernel.domainname"] == "example"


def test_a_users_mount_takes_the_place_of_ours() -> None:
    mine = {"destination": "/dev/shm/", "type": "bind", "source": "/mine", "options": ["rbind"]}
    shared = [
        mount for mount in build(request(mounts=[mine]))["mounts"] if mount["destination"] == "/dev/shm"
    ]
    assert [mount["source"] for mount in shared] == ["/mine"]
    whole = {"destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"]}
    there = [mount["destination"] for mount in build(request(mounts=[whole]))["mounts"]]
    assert [path for path in there if path.startswith("/dev")] == ["/dev"]


def test_mounts_come_outer_first_and_the_engines_files_among_them() -> None:
    def bind(path: str) -> dict[str, Any]:
        return {"destination": path, "type": "bind", "source": f"/of{path}", "options": ["rbind"]}

    wishes = [bind("/etc/ssl/certs"), bind("/etc"), bind("/etc/hosts"), bind("/a/../b")]
    spec = build(request(mounts=wishes, etc="/files"))
    paths = [mount["destination"] for mount in spec["mounts"]]
    assert paths.index("/etc") < paths.index("/etc/hostname") < paths.index("/etc/ssl/certs")
    assert "/b" in paths
    assert _mounts(spec)["/etc/hosts"]["source"] == "/of/etc/hosts"
    assert _mounts(spec)["/etc/hostname"]["source"] == "/files/hostname"


def test_a_read_only_root_has_read_only_files_of_ours() -> None:
    spec = build(request(HostConfig(readonly_rootfs=True), etc="/files"))
    assert spec["root"]["readonly"] is True
    assert "ro" in _mounts(spec)["/etc/hosts"]["options"]
    assert "ro" not in _mounts(spec)["/dev/shm"]["options"]


def test_shared_memory() -> None:
    def of(host: HostConfig, **more: Any) -> dict[str, Any] | None:
        return _mounts(build(request(host, **more))).get("/dev/shm")

    own = of(HostConfig(ipc_mode="private", shm_size=4096))
    assert own is not None
    assert "size=4096" in own["options"]
    assert of(HostConfig(ipc_mode="none")) is None
    joined, hosts = of(HostConfig(ipc_mode="container:x"), shm="/there"), of(HostConfig(ipc_mode="host"))
    assert joined is not None
    assert hosts is not None
    assert (joined["type"], joined["source"]) == ("bind", "/there")
    assert (hosts["type"], hosts["source"]) == ("bind", "/dev/shm")


def test_an_init_is_process_one_unless_another_is() -> None:
    spec = build(request(HostConfig(init=True), init_path="/usr/bin/tini"))
    assert spec["process"]["args"] == ["/sbin/docker-init", "--", "true"]
    assert spec["mounts"][-1]["source"] == "/usr/bin/tini"
    spec = build(request(HostConfig(init=True, pid_mode="host"), init_path="/usr/bin/tini"))
    assert spec["process"]["args"] == ["true"]
    assert "/sbin/docker-init" not in _mounts(spec)


@pytest.mark.parametrize(
    ("options", "propagation"),
    [(["rbind"], "rslave"), (["rbind", "rslave"], "rslave"), (["bind", "rshared"], "shared")],
)
def test_the_root_passes_mounts_on_as_a_bind_asks(options: list[str], propagation: str) -> None:
    mount = {"destination": "/m", "type": "bind", "source": "/m", "options": options}
    assert build(request(mounts=[mount]))["linux"]["rootfsPropagation"] == propagation


def test_paths_the_user_opens_or_hides() -> None:
    linux = build(request(HostConfig(masked_paths=["/proc/x"], readonly_paths=[])))["linux"]
    assert (linux["maskedPaths"], linux["readonlyPaths"]) == (["/proc/x"], [])
    linux = build(request(HostConfig(security_opt=["systempaths=unconfined"])))["linux"]
    assert (linux["maskedPaths"], linux["readonlyPaths"]) == ([], [])


def test_limits() -> None:
    host = HostConfig(
        memory=100,
        memory_reservation=50,
        memory_swap=200,
        memory_swappiness=0,
        oom_kill_disable=True,
        cpu_shares=1,
        nano_cpus=1_500_000_000,
        cpuset_cpus="0-1",
        pids_limit=7,
        blkio_weight=300,
        blkio_weight_device=[WeightDevice(path="/dev/a", weight=20)],
        blkio_device_read_bps=[ThrottleDevice(path="/dev/b", rate=1000)],
        blkio_device_write_i_ops=[ThrottleDevice(path="/dev/a", rate=5)],
    )
    found = build(request(host, block_devices={"/dev/a": (8, 0), "/dev/b": (8, 16)}))["linux"]["resources"]
    del found["devices"]
    assert found == {
        "memory": {
            "limit": 100,
            "reservation": 50,
            "swap": 200,
            "swappiness": 0,
            "disableOOMKiller": True,
        },
        "cpu": {"shares": 2, "period": 100_000, "quota": 150_000, "cpus": "0-1"},
        "pids": {"limit": 7},
        "blockIO": {
            "weight": 300,
            "weightDevice": [{"major": 8, "minor": 0, "weight": 20}],
            "throttleReadBpsDevice": [{"major": 8, "minor": 16, "rate": 1000}],
            "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 5}],
        },
    }


def test_no_limit_said_in_words() -> None:
    host = HostConfig(memory=100, memory_swap=-1, memory_swappiness=-1, pids_limit=0, cpu_quota=-1)
    found = build(request(host))["linux"]["resources"]
    assert found["memory"] == {"limit": 100}
    assert "pids" not in found
    assert "cpu" not in found


def test_an_unknown_block_device_is_refused() -> None:
    host = HostConfig(blkio_device_read_bps=[ThrottleDevice(path="/dev/none", rate=1)])
    with pytest.raises(InvalidParameter, match="/dev/none"):
        build(request(host))


def test_devices_and_their_rules() -> None:
    node = DeviceNode("/dev/fuse", "c", 10, 229, access="rw")
    host = HostConfig(device_cgroup_rules=["c 42:* rmw", "a *:* m"])
    linux = build(request(host, devices=[node]))["linux"]
    rules = linux["resources"]["devices"]
    assert rules[0] == {"allow": False, "access": "rwm"}
    assert rules[-3:] == [
        {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"},
        {"allow": True, "type": "c", "access": "rmw", "major": 42},
        {"allow": True, "type": "a", "access": "m"},
    ]
    assert [device["path"] for device in linux["devices"]] == ["/dev/fuse"]


def test_our_annotations_are_added_to_the_users() -> None:
    host = HostConfig(annotations={"a": "1", "run.oci.x": "theirs"})
    spec = build(request(host, annotations={"run.oci.x": "ours"}))
    assert spec["annotations"] == {"a": "1", "run.oci.x": "ours"}


def test_limits_of_processes_with_the_daemons_defaults() -> None:
    host = HostConfig(ulimits=[Ulimit(name="nofile", soft=1, hard=-1)])
    defaults = [Ulimit(name="nofile", soft=9, hard=9), Ulimit(name="core", soft=0, hard=0)]
    assert build(request(host, ulimits=defaults))["process"]["rlimits"] == [
        {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2**64 - 1},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
    ]


def test_a_terminal_has_its_size_from_the_start() -> None:
    config = ContainerConfig(hostname="box", tty=True)
    process = build(request(HostConfig(console_size=[24, 80]), config))["process"]
    assert process["terminal"] is True
    assert process["consoleSize"] == {"height": 24, "width": 80}
    assert "consoleSize" not in build(request(HostConfig(console_size=[24, 80])))["process"]
    assert "consoleSize" not in build(request(HostConfig(console_size=[0, 0]), config))["process"]


def _exec(wish: ExecConfig, config: ContainerConfig, host: HostConfig, user: User) -> dict[str, Any]:
    return exec_process(wish, config, host, FACTS, user)


def test_an_exec_inherits_and_overrides() -> None:
    config = ContainerConfig(hostname="box", tty=True, working_dir="/srv", env=["A=1", "B=1", "C=1"])
    host = HostConfig(
        cap_drop=["ALL"],
        oom_score_adj=5,
        security_opt=["no-new-privileges"],
        ulimits=[Ulimit(name="core", soft=0, hard=0)],
    )
    wish = ExecConfig(cmd=["id"], env=["B=2", "C"])
    found = _exec(wish, config, host, User(5, 6, (7,), "/home/five"))
    assert found["args"] == ["id"]
    assert found["cwd"] == "/srv"
    assert found["user"] == {"uid": 5, "gid": 6, "additionalGids": [6, 7]}
    assert found["capabilities"] == {"bounding": [], "effective": [], "permitted": []}
    assert found["noNewPrivileges"] is True
    assert found["oomScoreAdj"] == 5
    assert found["rlimits"] == [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    environment = dict(entry.split("=", 1) for entry in found["env"])
    assert environment.items() >= {"A": "1", "B": "2", "HOME": "/home/five", "HOSTNAME": "box"}.items()
    # The container has a terminal; this exec has none.
    assert environment.keys().isdisjoint({"C", "TERM"})


def test_an_exec_with_a_terminal_and_privileges() -> None:
    wish = ExecConfig(cmd=["sh"], tty=True, privileged=True, console_size=[10, 20])
    found = _exec(wish, ContainerConfig(), HostConfig(cap_drop=["ALL"]), User())
    assert found["capabilities"]["effective"] == list(ALL)
    assert found["consoleSize"] == {"height": 10, "width": 20}
    assert "TERM=xterm" in found["env"]
    other = _exec(wish, ContainerConfig(), HostConfig(), User(uid=1000))
    assert other["capabilities"]["effective"] == []
    assert other["capabilities"]["bounding"] == list(ALL)
