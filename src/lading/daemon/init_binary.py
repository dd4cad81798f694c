"""The small init that `--init` puts into containers."""

import os
import shutil

_CANDIDATES = ("docker-init", "tini-static", "catatonit", "tini")
_PATH = "/usr/local/libexec/docker:/usr/libexec/docker:/usr/libexec/podman:/usr/local/bin:/usr/bin:/bin"


def find_init(wanted: str) -> str:
    """The path of the init binary: the one asked for, else the first known one; "" where there is none."""
    if wanted:
        return wanted if os.access(wanted, os.X_OK) else ""
    search = f"{os.environ.get('PATH', '')}:{_PATH}"
    return next((path for name in _CANDIDATES if (path := shutil.which(name, path=search))), "")
