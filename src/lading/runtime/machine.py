"""What this machine can do and has, as far as containers depend on it."""

import os
import platform
import stat
from collections.abc import Iterator

from lading.errors import InvalidParameter
from lading.linux import cgroups
from lading.runtime.spec import DeviceNode, HostFacts, capabilities_from_mask
from lading.schema.container import HostConfig

_GIVEN = frozenset(f"/dev/{name}" for name in "null zero full random urandom tty ptmx console".split())
_LEFT_OUT = frozenset(f"/dev/{name}" for name in "pts shm fd mqueue .lxc .lxd-mounts .udev".split())


def host_facts() -> HostFacts:
    """Read once when the daemon starts."""
    release = platform.release().split(".")
    return HostFacts(
        cgroup_version=cgroups.version(),
        cpus=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        machine=platform.machine(),
        kernel=(int(release[0]), int(release[1])),
        capabilities=_own_capabilities(),
        controllers=cgroups.controllers(),
        apparmor=os.path.isdir("/sys/kernel/security/apparmor"),
        selinux=os.path.isdir("/sys/fs/selinux/class"),
        memory_nodes=_memory_nodes(),
        features=cgroups.features(),
        masked=_thermal_paths(),
    )


def _own_capabilities() -> frozenset[str]:
    """What this process may pass on; inside a container of others that is not all there is."""
    with open("/proc/self/status", encoding="utf-8") as file:
        masks = [int(line.split()[1], 16) for line in file if line.startswith(("CapPrm:", "CapBnd:"))]
    return capabilities_from_mask(masks[0] & masks[1])


def _memory_nodes() -> int:
    try:
        names = os.listdir("/sys/devices/system/node")
    except OSError:
        return 1
    return sum(name.startswith("node") and name[4:].isdecimal() for name in names) or 1


def _thermal_paths() -> tuple[str, ...]:
    """Counters of each CPU's heat, which tell a container what others compute."""
    base = "/sys/devices/system/cpu"
    try:
        names = sorted(os.listdir(base))
    except OSError:
        return ()
    paths = (f"{base}/{name}/thermal_throttle" for name in names)
    return tuple(path for path in paths if os.path.isdir(path))


def devices_of(host: HostConfig) -> list[DeviceNode]:
    """The nodes a container gets beyond those every one has: all for a privileged one.

    Raises InvalidParameter where a device it names is not there.
    """
    nodes = all_devices() if host.privileged else []
    for wish in host.devices or []:
        inside = wish.path_in_container or wish.path_on_host
        if host.privileged and inside == wish.path_on_host:
            continue
        access = "rwm" if host.privileged else wish.cgroup_permissions
        try:
            nodes += device_nodes(wish.path_on_host, inside, access)
        except OSError as error:
            raise InvalidParameter(
                "error gathering device information while adding custom device "
                f'"{wish.path_on_host}": {(error.strerror or str(error)).lower()}'
            ) from None
    return nodes


def device_nodes(host_path: str, inside: str, access: str) -> list[DeviceNode]:
    """The device at `host_path`, or every device below it if it is a directory. Raises OSError."""
    real = os.path.realpath(host_path)
    if not os.path.isdir(real):
        return [_node(real, inside, access, os.stat(real))]
    return [_node(path, inside + path[len(real) :], access, status) for path, status in _devices(real)]


def all_devices() -> list[DeviceNode]:
    """Every device of the host but terminals and what a container gets anyway: for privileged ones."""
    return [_node(path, path, "rwm", status) for path, status in _devices("/dev") if path not in _GIVEN]


def _devices(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    for parent, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if f"{parent}/{name}" not in _LEFT_OUT]
        for name in names:
            path = f"{parent}/{name}"
            try:
                status = os.stat(path, follow_symlinks=False)
            except FileNotFoundError:
                # Devices come and go, also while we look.
                continue
            if _is_device(status.st_mode):
                yield path, status


def _is_device(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _node(path: str, inside: str, access: str, status: os.stat_result) -> DeviceNode:
    if not _is_device(status.st_mode):
        raise OSError("not a device node")
    return DeviceNode(
        path=inside,
        kind="c" if stat.S_ISCHR(status.st_mode) else "b",
        major=os.major(status.st_rdev),
        minor=os.minor(status.st_rdev),
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        access=access or "rwm",
    )


def block_devices_of(host: HostConfig) -> dict[str, tuple[int, int]]:
    """Major and minor numbers of the devices that block I/O limits name, by path.

    Raises InvalidParameter where one is no block device.
    """
    limits = (
        *(host.blkio_weight_device or ()),
        *(host.blkio_device_read_bps or ()),
        *(host.blkio_device_write_bps or ()),
        *(host.blkio_device_read_i_ops or ()),
        *(host.blkio_device_write_i_ops or ()),
    )
    return {entry.path: _block_numbers(entry.path) for entry in limits}


def _block_numbers(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise InvalidParameter(f"stat {path}: {(error.strerror or str(error)).lower()}") from None
    if not stat.S_ISBLK(status.st_mode):
        raise InvalidParameter(f"{path} is not a block device")
    return os.major(status.st_rdev), os.minor(status.st_rdev)
