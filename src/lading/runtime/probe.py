"""Whether this machine's crun really applies a filter given as an annotation.

A crun that did not know the annotation would start containers without any
filter, so nobody's word is taken: one container is started that shows its own
status.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

from lading.aio import process
from lading.runtime.filters import Filters
from lading.runtime.oci import OciRuntime
from lading.runtime.runtime import Runtime
from lading.runtime.spec import seccomp

_PROGRAM_DIRECTORIES = ("/bin", "/lib", "/lib64", "/usr")
_FILTERED = b"Seccomp:\t2"


class FilterPassing:
    """Decides for each runtime, once, how a seccomp filter is handed to it."""

    def __init__(self, runtime: Runtime, machine: str) -> None:
        self._runtime = runtime
        self._machine = machine
        self._filters = Filters()
        self._honoured: dict[str, bool] = {}

    async def annotation(self, runtime_name: str, profile: Mapping[str, Any]) -> dict[str, str] | None:
        """The annotation that carries `profile`, or None where config.json must carry it."""
        name = runtime_name or self._runtime.default_runtime
        if name not in self._honoured:
            oci = self._runtime.runtimes()[name]
            self._honoured[name] = await honours_annotation(oci, self._filters, self._machine)
        return self._filters.annotation(profile) if self._honoured[name] else None


async def honours_annotation(runtime: OciRuntime, filters: Filters, machine: str) -> bool:
    """Starts a container under `runtime` and looks; False for anything but clear success."""
    annotation = filters.annotation(seccomp.default(frozenset(), machine))
    if not runtime.is_crun or annotation is None:
        return False
    bundle = tempfile.mkdtemp(prefix="lading-probe-")
    try:
        os.mkdir(f"{bundle}/rootfs")
        with open(f"{bundle}/config.json", "w", encoding="utf-8") as file:
            json.dump(_configuration(annotation), file)
        name = f"probe-{os.path.basename(bundle)}"
        shown = await process.run([*runtime.command(), "run", "--bundle", bundle, name], timeout=20)
        return shown.code == 0 and _FILTERED in shown.stdout
    except (OSError, TimeoutError):
        return False
    finally:
        shutil.rmtree(bundle, ignore_errors=True)


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
            "args": ["/bin/cat", "/proc/self/status"],
            "cwd": "/",
            "env": ["PATH=/bin:/usr/bin"],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs"},
        "mounts": mounts,
        "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "network")]},
        "annotations": annotations,
    }
