"""What a configuration is built from; plain values, gathered by the composer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.oci.cdi import Edits
from lading.schema.container import ContainerConfig, HostConfig, Ulimit

FEATURES = frozenset(
    """memory swap memory-reservation swappiness oom-kill-disable kernel-memory-tcp
    cpu-shares cpu-cfs cpu-realtime cpuset pids blkio-weight blkio-weight-device blkio-throttle""".split()
)
"""Every limit a kernel may or may not be able to set."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine, as far as limits and checks depend on it.

    `memory` is in bytes; `machine` as uname(2) says it; `capabilities` are
    those the engine itself has; `memory_nodes` is how many NUMA nodes there are.
    `features` are those of FEATURES this kernel has. `masked` are paths to
    hide that only some machines have.
    """

    cgroup_version: int
    cpus: int
    memory: int
    machine: str
    kernel: tuple[int, int]
    capabilities: frozenset[str]
    controllers: frozenset[str] = frozenset()
    apparmor: bool = False
    selinux: bool = False
    memory_nodes: int = 1
    features: frozenset[str] = FEATURES
    masked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """Who a process runs as, looked up in the container's own /etc/passwd and /etc/group.

    `groups` are those beyond `gid`.
    """

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
    """A device file: its path inside, type ("c" or "b"), numbers, permission bits and owner.

    `access` is what the cgroup allows of it: read, write, mknod.
    """

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

    `config` and `host` are settled: image merged, defaults filled in, checked
    by `validate`. `args` and `env` are the process's whole command and
    environment. `namespaces` are the modes of `host` resolved to paths.

    `mounts` are OCI mounts of volumes, binds and tmpfs, with resolved sources.
    `etc` is the directory with hostname, hosts and resolv.conf, empty for a
    container that gets none. `shm` is the path of a shared /dev/shm, if it has
    one. `devices` are the nodes beyond those every container has;
    `block_devices` gives the numbers of the devices that block I/O limits name.

    `seccomp` is the OCI object, None for unconfined, or where `annotations`
    hand the runtime a compiled filter; these are added to the user's.
    `init_path` is the host's init program for `--init`. `no_new_privileges`
    and `ulimits` are the daemon's defaults. `edits` are what CDI devices need.
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
    block_devices: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    seccomp: Mapping[str, Any] | None = None
    init_path: str = ""
    no_new_privileges: bool = False
    ulimits: Sequence[Ulimit] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    edits: Sequence[Edits] = ()

    @property
    def with_init(self) -> bool:
        """Whether an init of ours is process 1: not where another process is that already."""
        return bool(self.host.init and self.init_path and not self.host.pid_mode)
