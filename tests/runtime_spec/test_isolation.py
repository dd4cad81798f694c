"""What a container made from our configuration can see and do."""

import os
from pathlib import Path

import pytest
from tests.runtime_spec.box import FACTS, FULL, Box

from lading.runtime.spec import MASKED, Namespaces
from lading.schema.container import ContainerConfig, DeviceMapping, HostConfig

_DEFAULT_CAPABILITIES = "00000000a80425fb"


def _status(text: str) -> dict[str, str]:
    rows = (line.partition(":") for line in text.splitlines())
    return {key: value.strip() for key, _, value in rows}


def test_a_process_has_the_default_capabilities_and_no_inheritable_ones(box: Box) -> None:
    status = _status(box.sh("cat /proc/self/status"))
    assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == _DEFAULT_CAPABILITIES
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0


def test_another_user_than_root_holds_no_capability_but_may_gain_the_default_ones(box: Box) -> None:
    status = _status(box.sh("cat /proc/self/status", config=ContainerConfig(user="sailor")))
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapInh"], 16) == 0
    assert status["CapBnd"] == _DEFAULT_CAPABILITIES


def test_capabilities_are_added_and_dropped(box: Box) -> None:
    host = HostConfig(cap_add=["net_admin"], cap_drop=["ALL"])
    assert _status(box.sh("cat /proc/self/status", host=host))["CapEff"] == "0000000000001000"


def test_the_default_filter_is_applied_and_user_namespaces_cannot_be_made(box: Box) -> None:
    assert _status(box.sh("cat /proc/self/status"))["Seccomp"] == "2"
    ended = box.run("unshare", "-U", "true")
    assert ended.code != 0
    assert "Operation not permitted" in ended.err


def test_without_confinement_there_is_no_filter(box: Box) -> None:
    host = HostConfig(security_opt=["seccomp=unconfined"])
    status = _status(box.sh("cat /proc/self/status; unshare -U true", host=host))
    assert status["Seccomp"] == "0"


def test_a_compiled_filter_does_what_the_profile_does(crun_box: Box) -> None:
    assert _status(crun_box.sh("cat /proc/self/status"))["Seccomp"] == "2"
    ended = crun_box.run("unshare", "-U", "true")
    assert ended.code != 0
    assert "Operation not permitted" in ended.err


def test_an_exec_is_filtered_like_its_container(box: Box) -> None:
    running = box.start()
    status = _status(running.execute("cat", "/proc/self/status").out)
    assert status["Seccomp"] == "2"
    assert status["CapEff"] == _DEFAULT_CAPABILITIES


def test_an_exec_is_filtered_by_a_compiled_filter_too(crun_box: Box) -> None:
    running = crun_box.start()
    assert _status(running.execute("cat", "/proc/self/status").out)["Seccomp"] == "2"
    assert running.execute("unshare", "-U", "true").code != 0


def test_no_new_privileges_on_request(box: Box) -> None:
    host = HostConfig(security_opt=["no-new-privileges"])
    assert _status(box.sh("cat /proc/self/status", host=host))["NoNewPrivs"] == "1"
    assert _status(box.sh("cat /proc/self/status"))["NoNewPrivs"] == "0"


def test_masked_paths_show_nothing(box: Box) -> None:
    there = [path for path in MASKED if os.path.exists(path)]
    assert there
    for path in there:
        script = f"if [ -d {path} ]; then ls -A {path}; else head -c 1 {path}; fi"
        assert box.sh(script) == "", path


def test_proc_and_sys_cannot_be_written(box: Box) -> None:
    script = "; ".join(
        f"(echo x > {path}) 2>/dev/null && echo {path}"
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity")
    )
    assert box.sh(f"{script}; true") == ""
    group = "/sys/fs/cgroup" if FACTS.cgroup_version == 2 else "/sys/fs/cgroup/memory"
    ended = box.run("sh", "-c", f"mkdir {group}/x || touch /sys/x")
    assert ended.code != 0
    assert ended.err.count("Read-only file system") == 2


def test_open_system_paths_on_request(box: Box) -> None:
    host = HostConfig(security_opt=["systempaths=unconfined"])
    assert "/proc/kcore" not in box.sh("cat /proc/mounts", host=host)
    assert "/proc/sys " not in box.sh("cat /proc/mounts", host=host)


def test_nothing_can_be_mounted(box: Box) -> None:
    for words in (
        "-t tmpfs tmpfs /tmp",
        "-t proc proc /tmp",
        "-o bind / /tmp",
        "-o remount,rw /sys",
        "-t cgroup -o memory cgroup /tmp",
    ):
        assert box.run("sh", "-c", f"mount {words}").code != 0, words


def test_only_harmless_devices_are_there(box: Box) -> None:
    found = set(box.sh("find /dev -type b -o -type c").split())
    expected = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    assert expected <= found
    assert found - expected <= {"/dev/pts/ptmx", "/dev/ptmx", "/dev/console"}


def test_a_device_can_be_made_but_not_used(box: Box) -> None:
    number = Path("/sys/class/mem/kmsg/dev").read_text().strip().replace(":", " ")
    ended = box.run("sh", "-c", f"mknod /tmp/kmsg c {number} && head -c 1 /tmp/kmsg")
    assert ended.code != 0
    assert "Operation not permitted" in ended.err


def test_a_device_is_handed_in_with_the_access_asked_for(box: Box) -> None:
    wish = DeviceMapping(path_on_host="/dev/loop-control", path_in_container="/dev/looper")
    host = HostConfig(devices=[wish])
    expected = os.stat("/dev/loop-control").st_rdev
    shown = box.sh("stat -c %t:%T /dev/looper; : < /dev/looper", host=host)
    assert shown.strip() == f"{os.major(expected):x}:{os.minor(expected):x}"
    wish.cgroup_permissions = "m"
    assert box.run("sh", "-c", ": < /dev/looper", host=host).code != 0


def test_a_privileged_container_has_everything(box: Box) -> None:
    script = "cat /proc/self/status; mount -t tmpfs tmpfs /tmp && echo x > /tmp/x; ls /dev; cat /proc/mounts"
    shown = box.sh(script, host=HostConfig(privileged=True))
    status = _status(shown)
    assert status["CapEff"] == FULL
    assert status["Seccomp"] == "0"
    assert "loop-control" in shown
    assert "/proc/kcore" not in shown
    assert any(line.startswith("sysfs /sys sysfs rw") for line in shown.splitlines())


def test_namespaces_are_its_own(box: Box) -> None:
    running = box.start(namespaces=Namespaces())
    for kind in ("mnt", "pid", "net", "ipc", "uts", "cgroup"):
        assert running.namespace(kind) != os.readlink(f"/proc/self/ns/{kind}"), kind
    assert box.sh("hostname") == "box\n"
    assert box.sh("ls /sys/class/net") == "lo\n"


def test_namespaces_are_shared_or_joined_on_request(box: Box) -> None:
    first = box.start()
    second = box.start(
        namespaces=Namespaces(
            network=f"/proc/{first.pid}/ns/net", ipc=f"/proc/{first.pid}/ns/ipc", uts="host"
        )
    )
    assert second.namespace("net") == first.namespace("net")
    assert second.namespace("ipc") == first.namespace("ipc")
    assert second.namespace("uts") == os.readlink("/proc/self/ns/uts")
    assert second.namespace("pid") != first.namespace("pid")


def test_no_descriptor_of_ours_is_there(box: Box) -> None:
    # Three standard ones, and the directory that is being read.
    assert len(box.sh("ls /proc/self/fd").split()) == 4


def test_a_working_directory_cannot_be_a_leaked_descriptor(box: Box) -> None:
    """CVE-2024-21626: a working directory of /proc/self/fd/N led to the host's root."""
    host_root = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        for number in (3, 7, 8, host_root):
            ended = box.run(
                "sh",
                "-c",
                "ls -d root/.. work opt usr 2>/dev/null | grep usr",
                config=ContainerConfig(working_dir=f"/proc/self/fd/{number}"),
            )
            assert ended.code != 0
            assert "usr" not in ended.out
    finally:
        os.close(host_root)


def test_a_link_in_the_root_does_not_lead_a_mount_out_of_it(box: Box, tmp_path: Path) -> None:
    """CVE-2021-30465 and the like: destinations are resolved inside the root."""
    outside, source = tmp_path / "outside", tmp_path / "source"
    outside.mkdir()
    source.mkdir()
    (box.root / "way").symlink_to(outside)
    mount = {"destination": "/way/out", "type": "bind", "source": str(source), "options": ["rbind"]}
    box.run("true", mounts=[mount])
    assert list(outside.iterdir()) == []


def test_a_root_whose_proc_is_a_link_gets_no_unmasked_proc(box: Box) -> None:
    """CVE-2019-16884, CVE-2023-28642: a link at /proc left kernel files unprotected."""
    (box.root / "proc").rmdir()
    (box.root / "elsewhere").mkdir()
    (box.root / "proc").symlink_to("elsewhere")
    ended = box.run("sh", "-c", "echo x > /proc/sysrq-trigger || head -c 1 /elsewhere/kcore | wc -c")
    assert ended.code != 0 or ended.out.strip() in ("", "0")


def test_users_of_the_host_are_not_consulted(box: Box) -> None:
    (box.root / "etc/passwd").unlink()
    (box.root / "etc/passwd").symlink_to("/proc/self/root/etc/passwd")
    with pytest.raises(Exception, match="unable to find user daemon"):
        box.run("id", config=ContainerConfig(user="daemon"))
