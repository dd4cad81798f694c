"""What a configuration is built from; plain values, gathered by the composer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.schema.container import ContainerConfig, HostConfig


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine, as far as limits and checks depend on it. `memory` is in bytes."""

    cgroup_version: int
    cpus: int
    memory: int
    machine: str
    kernel: tuple[int, int]
    capabilities: int
    controllers: frozenset[str] = frozenset()
    apparmor: bool = False
    selinux: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """Who a process runs as, looked up in the container's own /etc/passwd and /etc/group."""

    uid: int = 0
    gid: int = 0
    groups: Sequence[int] = ()
    home: str = "/"


@dataclass(frozen=True, slots=True)
class Namespaces:
    """A path joins that namespace, "host" shares the engine's, "" makes a new one."""

    network: str = ""
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    cgroup: str = ""


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """A device file: its path inside, type ("c" or "b"), numbers, permission bits and owner."""

    path: str
    kind: str
    major: int
    minor: int
    mode: int = 0o666
    uid: int = 0
    gid: int = 0
    access: str = "rwm"


@dataclass(frozen=True, slots=True)
class SpecRequest:
    """A container about to start.

    `config` and `host` are settled: image merged, defaults filled in. `mounts`
    are OCI mounts of volumes, binds and tmpfs. `etc` is the directory with
    hostname, hosts and resolv.conf, empty where the container shares a network
    it does not name. `shm` is the path of a shared /dev/shm, if it has one.
    `seccomp` is the OCI object, None for unconfined; `annotations` are added
    to the user's.
    """

    container_id: str
    config: ContainerConfig
    host: HostConfig
    args: Sequence[str]
    env: Sequence[str]
    rootfs: str
    namespaces: Namespaces
    user: User
    cgroup_path: str
    facts: HostFacts
    etc: str = ""
    shm: str = ""
    mounts: Sequence[Mapping[str, Any]] = ()
    devices: Sequence[DeviceNode] = ()
    seccomp: Mapping[str, Any] | None = None
    init_path: str = ""
    no_new_privileges: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
