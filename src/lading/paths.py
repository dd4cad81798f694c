"""Every path the engine owns, drawn in one place.

<data-root>                      /var/lib/lading, 0710
├── state.db                     what exists (SQLite, WAL)
├── lock                         held while a daemon runs on this root
├── content/blobs/sha256/<hex>   blobs by digest, as they came
├── content/ingest/<random>      blobs being written; garbage after a crash
├── snapshots/<name>/            overlay directories
├── containers/<id>/             0710: config.json, hosts, hostname, resolv.conf,
│                                <id>-json.log, local-logs/, exit records, mounts/
└── volumes/<name>/_data
<exec-root>                      /run/lading, tmpfs, gone after a reboot
├── keeper.sock, keeper.log      the keeper's door
├── dns.sock, dns.log            the resolver's, where a container needs one
├── programs/<name>              OCI runtimes, mounted read-only
├── runtime/<name>/              the OCI runtime's own state (--root)
├── netns/<name>                 network namespaces, bind-mounted
├── rootfs/<id>                  where a container's root is mounted
├── shm/<id>                     /dev/shm of a container that lets others join
├── subpaths/<id>/<n>            parts of volumes, bound for a container
├── images/<id>/<place>          images that are mounted into a container
├── volumes/<name>/<id>          who uses a volume that is mounted only while it is used
└── bundles/<id>/                config.json for the OCI runtime, pid files, exec specs
"""

import os
from dataclasses import dataclass

DEFAULT_DATA_ROOT = "/var/lib/lading"
DEFAULT_EXEC_ROOT = "/run/lading"
DEFAULT_SOCKET = "/run/lading.sock"
DEFAULT_CONFIG_FILE = "/etc/lading/daemon.json"
DEFAULT_PIDFILE = "/run/lading.pid"


@dataclass(frozen=True, slots=True)
class Layout:
    """The directories of one daemon."""

    data_root: str = DEFAULT_DATA_ROOT
    exec_root: str = DEFAULT_EXEC_ROOT

    @property
    def database(self) -> str:
        return f"{self.data_root}/state.db"

    @property
    def lock(self) -> str:
        return f"{self.data_root}/lock"

    @property
    def content(self) -> str:
        return f"{self.data_root}/content"

    @property
    def snapshots(self) -> str:
        return f"{self.data_root}/snapshots"

    @property
    def containers(self) -> str:
        return f"{self.data_root}/containers"

    @property
    def volumes(self) -> str:
        return f"{self.data_root}/volumes"

    @property
    def keeper_socket(self) -> str:
        return f"{self.exec_root}/keeper.sock"

    @property
    def keeper_log(self) -> str:
        return f"{self.exec_root}/keeper.log"

    @property
    def runtime_state(self) -> str:
        return f"{self.exec_root}/runtime"

    @property
    def programs(self) -> str:
        return f"{self.exec_root}/programs"

    @property
    def netns(self) -> str:
        return f"{self.exec_root}/netns"

    @property
    def rootfs(self) -> str:
        return f"{self.exec_root}/rootfs"

    @property
    def shm(self) -> str:
        return f"{self.exec_root}/shm"

    @property
    def bundles(self) -> str:
        return f"{self.exec_root}/bundles"

    def container(self, container_id: str) -> str:
        """Where one container's own files live."""
        return f"{self.containers}/{container_id}"

    def make(self) -> None:
        """Creates the directories that must exist before any room opens.

        Raises OSError where a directory cannot be made.
        """
        for path in (self.data_root, self.exec_root):
            os.makedirs(path, mode=0o710, exist_ok=True)
        for path in (self.content, self.snapshots, self.containers, self.volumes):
            os.makedirs(path, mode=0o710, exist_ok=True)
        for path in (self.runtime_state, self.netns, self.rootfs, self.bundles):
            os.makedirs(path, mode=0o700, exist_ok=True)
