"""Whether this machine's crun really applies a filter given as an annotation.

A crun that did not know the annotation would start containers without any
filter, so nobody's word is taken: one container is started that shows its own
status.
"""

import json
import os
import shutil
import tempfile

from lading.aio import process
from lading.runtime.filters import Filters
from lading.runtime.oci import OciRuntime
from lading.runtime.spec import seccomp

_PROGRAM_DIRECTORIES = ("/bin", "/lib", "/lib64", "/usr")
_FILTERED = b"Seccomp:\t2"


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
