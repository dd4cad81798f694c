"""What this machine can do, as far as containers depend on it."""

import os
import platform

from lading.linux import cgroups
from lading.runtime.spec import DeviceNode, HostFacts


def host_facts() -> HostFacts:
    """Read once when the daemon starts."""
    release = platform.release().split(".")
    return HostFacts(
        cgroup_version=cgroups.version(),
        cpus=os.cpu_count() or 1,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        machine=platform.machine(),
        kernel=(int(release[0]), int(release[1])),
        capabilities=_held_capabilities(),
        controllers=cgroups.controllers(),
        apparmor=os.path.isdir("/sys/kernel/security/apparmor"),
        selinux=os.path.isdir("/sys/fs/selinux/class"),
    )


def _held_capabilities() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))


def device_nodes(host_path: str, inside: str, access: str) -> list[DeviceNode]:
    """The device at `host_path`, or every device below it if it is a directory. Raises OSError."""
    real = os.path.realpath(host_path)
    if not os.path.isdir(real):
        return [_node(real, inside, access)]
    nodes = []
    for directory, _, names in os.walk(real):
        for name in names:
            path = os.path.join(directory, name)
            if _is_device(os.stat(path, follow_symlinks=False).st_mode):
                nodes.append(_node(path, inside + path[len(real) :], access))
    return nodes


def all_devices() -> list[DeviceNode]:
    """Every device of the host but terminals and what a container gets anyway: for privileged ones."""
    left_out = ("/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/console", "/dev/.lxc")
    return [
        node
        for node in device_nodes("/dev", "/dev", "rwm")
        if not node.path.startswith(left_out) and node.path not in _GIVEN
    ]


_GIVEN = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx"))


def _is_device(mode: int) -> bool:
    return (mode & 0o170000) in (0o020000, 0o060000)


def _node(path: str, inside: str, access: str) -> DeviceNode:
    status = os.stat(path)
    if not _is_device(status.st_mode):
        raise OSError(f"not a device node: {path}")
    return DeviceNode(
        path=inside,
        kind="c" if (status.st_mode & 0o170000) == 0o020000 else "b",
        major=os.major(status.st_rdev),
        minor=os.minor(status.st_rdev),
        mode=status.st_mode & 0o7777,
        uid=status.st_uid,
        gid=status.st_gid,
        access=access or "rwm",
    )


def block_device_numbers(path: str) -> str:
    """ "major:minor" of a block device. Raises OSError."""
    status = os.stat(path)
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
