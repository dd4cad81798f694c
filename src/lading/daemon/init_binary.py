"""The small init that `--init` puts into containers."""

import os
import shutil

from lading.errors import InvalidParameter

_CANDIDATES = ("docker-init", "tini-static", "catatonit", "tini")
_PATH = "/usr/local/libexec/docker:/usr/libexec/docker:/usr/libexec/podman:/usr/local/bin:/usr/bin:/bin"


def find_init(wanted: str) -> str:
    """The path of the init binary: the one asked for, else the first known one; "" where there is none.

    Raises InvalidParameter where the one asked for cannot be run.
    """
    if wanted:
        if not os.access(wanted, os.X_OK):
            raise InvalidParameter(f"invalid init path {wanted}: there is no such program")
        return wanted
    search = f"{os.environ.get('PATH', '')}:{_PATH}"
    return next((path for name in _CANDIDATES if (path := shutil.which(name, path=search))), "")
