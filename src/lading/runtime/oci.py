"""The OCI runtimes of this machine: which there are, how each is called, whether it can run here.

Source: the command lines of crun 1.8 and later and runc 1.1 and later, which
agree in all but their global options.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lading.aio import process
from lading.errors import InvalidParameter, Unsupported
from lading.linux import mounts
from lading.runtime.program import protected, unprotect

_PREFERRED = ("crun", "runc")
_CGROUPS = "/sys/fs/cgroup"
_PATIENCE = 5.0
"""Seconds a runtime gets to tell its version."""


@dataclass(frozen=True, slots=True)
class OciRuntime:
    """One runtime: its name with us, its program, the user's own arguments for it.

    `call` is the path it is called by, where that is not `path`.
    """

    name: str
    path: str
    arguments: Sequence[str] = ()
    call: str = field(default="", kw_only=True)
    state: str = field(default="", kw_only=True)
    version: str = field(default="", kw_only=True)

    @property
    def is_crun(self) -> bool:
        """Whether it takes crun's options."""
        return "crun" in os.path.basename(self.path)

    def command(self, log: str = "") -> list[str]:
        """The program with its global options; `log` is the file its errors go to."""
        words = [self.call or self.path, *self.arguments, "--root", self.state]
        if self.is_crun:
            # Errors before a container's own program runs appear on its standard error as they are logged.
            words += ["--cgroup-manager", "cgroupfs"]
            words += ["--log", log, "--log-format", "text"] if log else []
        else:
            words += ["--log", log, "--log-format", "json"] if log else []
        return words


class OciRuntimes:
    """The runtimes by name: those found on the machine and those added by settings.

    `added` are dockerd's settings: name to {"path", "runtimeArgs"}. `state` is
    the directory under which each runtime keeps its own.
    """

    def __init__(self, added: Mapping[str, Mapping[str, Any]], state: str) -> None:
        self._known: dict[str, OciRuntime] = {}
        settings: dict[str, Mapping[str, Any]] = {name: {"path": name} for name in _PREFERRED}
        settings.update(added)
        for name, setting in settings.items():
            path = shutil.which(str(setting.get("path") or name), path=_search_path())
            if path is not None:
                arguments = tuple(setting.get("runtimeArgs") or ())
                self._known[name] = OciRuntime(name, path, arguments, state=f"{state}/{name}")
        self.default = ""

    def choose(self, wanted: str = "") -> OciRuntime:
        """The runtime for containers that name none: `wanted`, else the fastest that can run here.

        Raises Unsupported where there is none.
        """
        for name in (wanted,) if wanted else _PREFERRED:
            found = self._known.get(name)
            if found is not None and (not found.is_crun or prepare_cgroups()):
                self.default = name
                return found
        what = f"the OCI runtime {wanted!r} is not there or cannot run here" if wanted else "no OCI runtime"
        raise Unsupported(f"{what}: install crun or runc (apt-get install crun), or use --add-runtime")

    async def learn_version(self) -> None:
        """Asks the default runtime for its version; nobody else's is ever shown."""
        known = self._known[self.default]
        try:
            answer = await process.run([known.path, "--version"], timeout=_PATIENCE)
        except (OSError, TimeoutError):
            return
        first = answer.stdout.decode(errors="replace").partition("\n")[0]
        self._known[self.default] = replace(known, version=first.rpartition(" ")[2])

    def protect(self, directory: str) -> None:
        """From now on calls the programs that ask for it by read-only mounts of them in `directory`."""
        for name, known in self._known.items():
            if known.is_crun:
                self._known[name] = replace(known, call=protected(known.path, f"{directory}/{name}"))

    def unprotect(self, directory: str) -> None:
        """Takes those mounts away."""
        for name, known in self._known.items():
            unprotect(f"{directory}/{name}")
            self._known[name] = replace(known, call="")

    def find(self, name: str = "") -> OciRuntime:
        """By name, empty for the default. Raises InvalidParameter, as docker does, for an unknown one."""
        found = self._known.get(name or self.default)
        if found is None:
            raise InvalidParameter(f"unknown or invalid runtime name: {name or self.default}")
        return found

    def all(self) -> dict[str, OciRuntime]:
        """Every runtime that can be named."""
        return dict(self._known)


def _search_path() -> str:
    # A daemon started by hand may lack the directories for administrators' programs.
    return f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def prepare_cgroups(root: str = _CGROUPS) -> bool:
    """Makes the control groups as crun needs them; whether that succeeded.

    Where version 1 and 2 are mounted side by side ("hybrid"), crun refuses to
    work while version 2 has any controller left. Such controllers are nobody's
    yet: each is mounted as version 1 at its usual place, as cgroupfs-mount does.
    """
    try:
        with open(f"{root}/unified/cgroup.controllers", encoding="ascii") as file:
            left = file.read().split()
    except OSError:
        return True
    for controller in left:
        target = f"{root}/{controller}"
        try:
            os.makedirs(target, exist_ok=True)
            flags = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC
            mounts.mount("cgroup", target, "cgroup", flags, controller)
        except OSError:
            return False
    return True
