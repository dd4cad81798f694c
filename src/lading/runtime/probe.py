"""Whether this machine's crun really applies a filter given as an annotation.

A crun that did not know the annotation would start containers without any
filter, so nobody's word is taken: a container is started and looked at, and so
is a process executed in it. The verdict holds for that very program file.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from lading.aio import process, tasks
from lading.runtime.filters import Filters
from lading.runtime.oci import OciRuntime
from lading.runtime.runtime import Runtime
from lading.runtime.spec import HostFacts, granted, seccomp

_log = logging.getLogger(__name__)

_PROGRAM_DIRECTORIES = ("/bin", "/lib", "/lib64", "/usr")
_FILTERED = "Seccomp:\t2"
_NAME, _PROGRAM = "probe", "sleep"
_TIMEOUT, _LOOKS, _PAUSE = 20.0, 400, 0.005
"""Seconds; looks at a process that is to become another program, and seconds between them."""


class FilterPassing:
    """Decides for each runtime, once, how a seccomp filter is handed to it.

    `directory` keeps compiled filters and verdicts beyond the life of this
    process, if given; it should be gone after a reboot, which may bring
    another kernel.
    """

    def __init__(self, runtime: Runtime, machine: str, directory: str = "") -> None:
        self._runtime = runtime
        self._machine = machine
        self._directory = directory
        self._filters = Filters(directory)
        self._honoured: dict[str, bool] = {}
        self._lock = asyncio.Lock()

    async def prepare(self, facts: HostFacts) -> None:
        """Settles the default runtime and the default profile, so that no container's start waits for it."""
        rights = frozenset(granted(None, None, privileged=False, known=facts.capabilities))
        await self.annotation("", seccomp.default(rights, facts.machine))

    async def annotation(self, runtime_name: str, profile: Mapping[str, Any]) -> dict[str, str] | None:
        """The annotation that carries `profile`, or None where config.json must carry it."""
        if not await self._honours(runtime_name or self._runtime.default_runtime):
            return None
        if not self._filters.knows(profile):
            # Some 15 ms, which the other containers shall not wait for.
            return await tasks.in_thread(self._filters.annotation, profile)
        return self._filters.annotation(profile)

    async def _honours(self, name: str) -> bool:
        if name not in self._honoured:
            async with self._lock:
                if name not in self._honoured:
                    oci = self._runtime.runtimes()[name]
                    self._honoured[name] = await self._ask(oci)
        return self._honoured[name]

    async def _ask(self, oci: OciRuntime) -> bool:
        if not oci.is_crun:
            return False
        path = f"{self._directory}/{_identity(oci)}" if self._directory else ""
        known = _recall(path)
        if not known:
            place = f"{self._directory}/probe" if self._directory else ""
            known = await honours_annotation(oci, self._filters, self._machine, place)
            _note(path, known)
        if not known:
            _log.warning("%s does not apply compiled seccomp filters; it will compile them itself", oci.path)
        return known


async def honours_annotation(
    runtime: OciRuntime, filters: Filters, machine: str, directory: str = ""
) -> bool:
    """Starts a container under `runtime` and looks; False for anything but clear success.

    Works in `directory`, where what a killed predecessor left is cleared away
    first, or in a temporary one.
    """
    profile = seccomp.default(frozenset(), machine)
    annotation = await tasks.in_thread(filters.annotation, profile)
    if annotation is None:
        return False
    bundle = directory or tempfile.mkdtemp(prefix="lading-probe-")
    # A state of its own, no control group: there is nothing of it anywhere else.
    options = ["--root", f"{bundle}/state", "--cgroup-manager", "disabled"]
    command = [runtime.path, *runtime.arguments, *options]
    try:
        await _clear(command, bundle)
        _make_bundle(bundle, annotation)
        pid_file = f"{bundle}/pid"
        run = ["run", "--detach", "--pid-file", pid_file, "--bundle", bundle, _NAME]
        started = await process.run([*command, *run], timeout=_TIMEOUT)
        if started.code != 0 or not await _is_filtered(pid_file):
            return False
        shown = await process.run(
            [*command, "exec", _NAME, "/bin/cat", "/proc/self/status"], timeout=_TIMEOUT
        )
        return shown.code == 0 and _FILTERED in shown.stdout.decode(errors="replace")
    except (OSError, ValueError, TimeoutError):
        return False
    finally:
        await _clear(command, bundle)


async def _clear(command: Sequence[str], bundle: str) -> None:
    if os.path.exists(f"{bundle}/state"):
        with contextlib.suppress(OSError, TimeoutError):
            await process.run([*command, "delete", "--force", _NAME], timeout=_TIMEOUT)
    shutil.rmtree(bundle, ignore_errors=True)


def _make_bundle(bundle: str, annotation: dict[str, str]) -> None:
    os.makedirs(f"{bundle}/rootfs", mode=0o700)
    with open(f"{bundle}/config.json", "w", encoding="utf-8") as file:
        json.dump(_configuration(annotation), file)


async def _is_filtered(pid_file: str) -> bool:
    with open(pid_file, encoding="ascii") as file:
        pid = int(file.read())
    # The runtime may return before the process has become its program.
    for _ in range(_LOOKS):
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = file.read()
        if status.startswith(f"Name:\t{_PROGRAM}\n"):
            return _FILTERED in status
        await asyncio.sleep(_PAUSE)
    return False


def _configuration(annotations: dict[str, str]) -> dict[str, object]:
    mounts: list[dict[str, object]] = [
        {"destination": path, "type": "bind", "source": path, "options": ["rbind", "ro"]}
        for path in _PROGRAM_DIRECTORIES
        if os.path.isdir(path)
    ]
    mounts.append({"destination": "/proc", "type": "proc", "source": "proc"})
    mounts.append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs"})
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": [f"/bin/{_PROGRAM}", "30"],
            "cwd": "/",
            "env": ["PATH=/bin:/usr/bin"],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs"},
        "mounts": mounts,
        "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "network")]},
        "annotations": annotations,
    }


def _identity(runtime: OciRuntime) -> str:
    """Names one program file: another one, or a changed one, is another."""
    status = os.stat(runtime.path)
    return f"filtered-{runtime.name}-{status.st_dev:x}-{status.st_ino:x}-{status.st_mtime_ns:x}"


def _recall(path: str) -> bool:
    return bool(path) and os.path.exists(path)


def _note(path: str, verdict: bool) -> None:
    # Only success: what failed may have had a passing cause, and is asked again by the next daemon.
    if not (path and verdict):
        return
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "wb"):
            pass
    except OSError as error:
        _log.warning("what was learned of the OCI runtime could not be kept: %s", error)
