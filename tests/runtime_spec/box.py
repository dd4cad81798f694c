"""Containers made straight by an OCI runtime from configurations that `runtime.spec` built."""

import dataclasses
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lading.linux import cgroups
from lading.runtime import block_devices_of, devices_of, host_facts, look_up_user
from lading.runtime.filters import Filters
from lading.runtime.spec import (
    Namespaces,
    SpecRequest,
    build,
    environment,
    exec_process,
    granted,
    seccomp,
    validate,
)
from lading.runtime.spec.capabilities import ALL
from lading.schema.container import ContainerConfig, ExecConfig, HostConfig

FACTS = host_facts()
FULL = f"{sum(1 << number for number, name in enumerate(ALL) if name in FACTS.capabilities):016x}"
"""Every capability the engine could grant here, as /proc shows it."""

_PARENT = "/lading-test-spec"
# docker's defaults: version 1 shows the host's groups, read-only.
_CGROUP_NAMESPACE = "host" if FACTS.cgroup_version == 1 else ""
_PASSWD = """root:x:0:0:root:/root:/bin/sh
sailor:x:1000:100:a sailor:/home/sailor:/bin/sh
"""
_GROUP = """root:x:0:
disk:x:6:sailor
users:x:100:
deck:x:2000:sailor,root
"""


def make_root(path: Path) -> Path:
    """A root with nothing but busybox and two users."""
    for name in ("bin", "sbin", "etc", "root", "tmp", "proc", "sys", "dev", "home/sailor"):
        (path / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", path / "bin/busybox")
    for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
        if applet != "busybox":
            (path / "bin" / applet).symlink_to("busybox")
    (path / "etc/passwd").write_text(_PASSWD)
    (path / "etc/group").write_text(_GROUP)
    (path / "tmp").chmod(0o1777)
    os.chown(path / "home/sailor", 1000, 100)
    return path


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a container or an exec ended, and what it printed."""

    code: int
    out: str
    err: str


class Box:
    """One root and one OCI runtime; a container at a time."""

    def __init__(self, runtime: str, directory: Path, *, compiled: bool = False) -> None:
        self._runtime = runtime
        self._directory = directory
        self._filters = Filters() if compiled else None
        self.root = make_root(directory / "root")
        self._names: list[str] = []

    def request(
        self,
        args: Sequence[str],
        host: HostConfig,
        config: ContainerConfig,
        **wishes: Any,
    ) -> SpecRequest:
        """What the composer would ask for."""
        name = f"spec-{uuid.uuid4().hex[:12]}"
        self._names.append(name)
        config.hostname = config.hostname or "box"
        host.network_mode = host.network_mode or "none"
        host.ipc_mode = host.ipc_mode or "private"
        host.shm_size = host.shm_size or 64 * 1024 * 1024
        validate(ContainerConfig(), host, FACTS)
        rights = frozenset(
            granted(host.cap_add, host.cap_drop, privileged=host.privileged, known=FACTS.capabilities)
        )
        profile: Any = None if host.privileged else seccomp.default(rights, FACTS.machine)
        if "seccomp=unconfined" in (host.security_opt or ()):
            profile = None
        annotations = self._filters.annotation(profile) if self._filters and profile else None
        user = look_up_user(str(self.root), config.user, host.group_add)
        return SpecRequest(
            container_id=name,
            config=config,
            host=host,
            args=args,
            env=environment(config, user.home),
            rootfs=str(self.root),
            namespaces=wishes.pop("namespaces", Namespaces(cgroup=_CGROUP_NAMESPACE)),
            user=user,
            cgroup_path=f"{_PARENT}/{name}",
            facts=FACTS,
            devices=devices_of(host),
            block_devices=block_devices_of(host),
            seccomp=None if annotations else profile,
            annotations=annotations or {},
            **wishes,
        )

    def run(
        self,
        *args: str,
        host: HostConfig | None = None,
        config: ContainerConfig | None = None,
        pass_fds: Sequence[int] = (),
        **wishes: Any,
    ) -> Ended:
        """Runs a container to its end."""
        request = self.request(args, host or HostConfig(), config or ContainerConfig(), **wishes)
        bundle = self._bundle(request)
        return self._call(["run", "--bundle", bundle, request.container_id], pass_fds)

    def sh(self, script: str, **wishes: Any) -> str:
        """What a shell script prints in a container in which it succeeds."""
        ended = self.run("sh", "-c", script, **wishes)
        assert ended.code == 0, ended
        return ended.out

    def start(
        self, host: HostConfig | None = None, config: ContainerConfig | None = None, **wishes: Any
    ) -> "Running":
        """Starts a container that sleeps."""
        args = ["sleep", "60"]
        request = self.request(args, host or HostConfig(), config or ContainerConfig(), **wishes)
        bundle = self._bundle(request)
        pid_file = f"{bundle}/pid"
        words = ["run", "--detach", "--pid-file", pid_file, "--bundle", bundle, request.container_id]
        ended = self._call(words)
        assert ended.code == 0, ended
        return Running(self, request, int(Path(pid_file).read_text()))

    def execute(self, running: "Running", wish: ExecConfig) -> Ended:
        """Runs a command in a container that runs."""
        request = running.request
        user = look_up_user(str(self.root), wish.user or request.config.user, request.host.group_add)
        process = exec_process(wish, request.config, request.host, FACTS, user)
        path = self._directory / f"{request.container_id}.exec"
        path.write_text(json.dumps(process))
        return self._call(["exec", "--process", str(path), request.container_id])

    def destroy(self) -> None:
        for name in self._names:
            self._call(["delete", "--force", name])
            cgroups.remove(f"{_PARENT}/{name}")
        cgroups.remove(_PARENT)

    def _bundle(self, request: SpecRequest) -> str:
        bundle = self._directory / request.container_id
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(build(request)))
        return str(bundle)

    def _call(self, words: Sequence[str], pass_fds: Sequence[int] = ()) -> Ended:
        options = ["--cgroup-manager", "cgroupfs"] if self._runtime == "crun" else []
        done = subprocess.run(
            [self._runtime, "--root", str(self._directory / "state"), *options, *words],
            stdin=subprocess.DEVNULL,
            # Files, not pipes: a detached container keeps them open.
            stdout=open(self._directory / "out", "wb"),  # noqa: SIM115
            stderr=open(self._directory / "err", "wb"),  # noqa: SIM115
            pass_fds=pass_fds,
            timeout=30,
        )
        out, err = ((self._directory / name).read_text() for name in ("out", "err"))
        return Ended(done.returncode, out, err)


@dataclasses.dataclass(frozen=True)
class Running:
    """A container that sleeps."""

    box: Box
    request: SpecRequest
    pid: int

    def limit(self, v1: str, v2: str) -> str:
        """The content of a file of its cgroup; `v1` is "<controller>/<file>"."""
        group = self.request.cgroup_path
        controller, _, file = v1.partition("/")
        path = f"{group}/{v2}" if FACTS.cgroup_version == 2 else f"/{controller}{group}/{file}"
        return Path(f"{cgroups.ROOT}{path}").read_text().strip()

    def execute(self, *cmd: str, **wishes: Any) -> Ended:
        return self.box.execute(self, ExecConfig(cmd=list(cmd), **wishes))

    def namespace(self, kind: str) -> str:
        return os.readlink(f"/proc/{self.pid}/ns/{kind}")
