"""What is mounted inside a container, and which paths are hidden. Pure.

Source: runtime-spec 1.2, config.md, "Mounts"; the set is Docker's.
"""

from typing import Any

from lading.runtime.spec.request import SpecRequest

MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

INIT_TARGET = "/sbin/docker-init"


def mounts(request: SpecRequest) -> list[dict[str, Any]]:
    """Every mount in the order the runtime makes them: what lies deeper comes later."""
    host = request.host
    chosen = {str(mount["destination"]).rstrip("/") or "/" for mount in request.mounts}
    standard = [
        *_kernel_file_systems(request),
        *_shared_memory(request),
        *_etc_files(request),
    ]
    result = [mount for mount in standard if mount["destination"] not in chosen]
    result += [
        dict(mount) for mount in sorted(request.mounts, key=lambda m: str(m["destination"]).count("/"))
    ]
    if host.init and request.init_path:
        result.append(_bind(request.init_path, INIT_TARGET, "ro"))
    return result


def _kernel_file_systems(request: SpecRequest) -> list[dict[str, Any]]:
    writable = request.host.privileged
    system = ["nosuid", "noexec", "nodev"]
    return [
        _mount("/proc", "proc", "proc", system),
        _mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount(
            "/dev/pts",
            "devpts",
            "devpts",
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        _mount("/sys", "sysfs", "sysfs", [*system, "rw" if writable else "ro"]),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", [*system, "rw" if writable else "ro"]),
        _mount("/dev/mqueue", "mqueue", "mqueue", system),
    ]


def _shared_memory(request: SpecRequest) -> list[dict[str, Any]]:
    mode = request.host.ipc_mode
    if mode == "none":
        return []
    if mode == "host":
        return [_bind("/dev/shm", "/dev/shm", "rw")]
    if request.shm:
        return [_bind(request.shm, "/dev/shm", "rw")]
    options = ["nosuid", "noexec", "nodev", "mode=1777", f"size={request.host.shm_size}"]
    return [_mount("/dev/shm", "tmpfs", "shm", options)]


def _etc_files(request: SpecRequest) -> list[dict[str, Any]]:
    if not request.etc:
        return []
    mode = "ro" if request.host.readonly_rootfs else "rw"
    return [
        _bind(f"{request.etc}/{name}", f"/etc/{name}", mode) for name in ("resolv.conf", "hostname", "hosts")
    ]


def _mount(destination: str, kind: str, source: str, options: list[str]) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": source, "options": options}


def _bind(source: str, destination: str, mode: str) -> dict[str, Any]:
    return _mount(destination, "bind", source, ["rbind", "rprivate", mode])
