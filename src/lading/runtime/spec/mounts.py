"""What is mounted inside a container. Pure.

Source: runtime-spec 1.2, config.md, "Mounts"; the set is Docker's.
"""

import posixpath
from typing import Any

from lading.runtime.spec.process import INIT_TARGET
from lading.runtime.spec.request import SpecRequest
from lading.runtime.spec.security import parse_security_options

_KERNEL = ["nosuid", "noexec", "nodev"]


def mounts(request: SpecRequest) -> list[dict[str, Any]]:
    """Every mount in the order the runtime makes them: what lies deeper comes later."""
    chosen = [
        {**mount, "destination": posixpath.normpath(str(mount["destination"]))} for mount in request.mounts
    ]
    taken = {str(mount["destination"]) for mount in chosen}
    base = [
        mount
        for mount in (*_kernel_file_systems(request), *_shared_memory(request))
        if mount["destination"] not in taken
        and not ("/dev" in taken and mount["destination"].startswith("/dev/"))
    ]
    files = [mount for mount in _etc_files(request) if mount["destination"] not in taken]
    # The files come among the user's mounts: a volume at /etc must not hide them.
    result = [*base, *sorted((*files, *chosen), key=lambda mount: _depth(str(mount["destination"])))]
    if request.with_init:
        result.append(_mount(INIT_TARGET, "bind", request.init_path, ["bind", "ro"]))
    return result


def _depth(path: str) -> int:
    return 0 if path == "/" else path.count("/")


def _kernel_file_systems(request: SpecRequest) -> list[dict[str, Any]]:
    privileged = request.host.privileged
    cgroups_writable = privileged or parse_security_options(request.host.security_opt).writable_cgroups
    return [
        _mount("/proc", "proc", "proc", _KERNEL),
        _mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount(
            "/dev/pts",
            "devpts",
            "devpts",
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        _mount("/sys", "sysfs", "sysfs", [*_KERNEL, "rw" if privileged else "ro"]),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", [*_KERNEL, "rw" if cgroups_writable else "ro"]),
        _mount("/dev/mqueue", "mqueue", "mqueue", _KERNEL),
    ]


def _shared_memory(request: SpecRequest) -> list[dict[str, Any]]:
    mode = request.host.ipc_mode
    if mode == "none":
        return []
    if mode == "host" or request.shm:
        return [_mount("/dev/shm", "bind", request.shm or "/dev/shm", ["rbind", "rprivate", "rw"])]
    return [_mount("/dev/shm", "tmpfs", "shm", [*_KERNEL, "mode=1777", f"size={request.host.shm_size}"])]


def _etc_files(request: SpecRequest) -> list[dict[str, Any]]:
    if not request.etc:
        return []
    options = ["rbind", "rprivate", "ro" if request.host.readonly_rootfs else "rw"]
    return [
        _mount(f"/etc/{name}", "bind", f"{request.etc}/{name}", options)
        for name in ("resolv.conf", "hostname", "hosts")
    ]


def _mount(destination: str, kind: str, source: str, options: list[str]) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": source, "options": options}
