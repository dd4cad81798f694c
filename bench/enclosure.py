"""Namespaces of its own for an engine: mounts, network, processes, host name.

Both engines run in the same surroundings: an empty network namespace, so that
neither meets nor touches the machine's firewall; a mount and a process
namespace, so that all an engine leaves behind is gone when the first process of
the enclosure is killed. The processes of an engine are those in the enclosure's
PID namespace; the containers' processes are in namespaces of their own.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_MNT_DETACH = 2
_CGROUPS = Path("/sys/fs/cgroup")
_NAMESPACES = ("--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child")


class Enclosure:
    """A running enclosure, seen from outside."""

    def __init__(self, outer: subprocess.Popen[bytes]) -> None:
        self._outer = outer
        self.init = _only_child(outer)
        self._namespace = os.stat(f"/proc/{self.init}/ns/pid").st_ino

    def alive(self) -> bool:
        return self._outer.poll() is None

    def wait(self) -> int:
        """The exit code of what runs inside."""
        return self._outer.wait()

    def engine_pids(self) -> list[int]:
        """Processes of the engine: without the containers' and without the enclosure's first."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdecimal() and int(entry) != self.init:
                with contextlib.suppress(OSError):
                    if os.stat(f"/proc/{entry}/ns/pid").st_ino == self._namespace:
                        found.append(int(entry))
        return found

    def end(self) -> None:
        """Kills everything inside, the containers too, and waits until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.init, signal.SIGKILL)
        self._outer.wait()


def enter(argv: Sequence[str], *, root: Path, shared: Sequence[Path], log: Path) -> Enclosure:
    """Runs `argv` in an enclosure with `root` as its root.

    `shared` directories and files of the machine are to be seen inside under the same paths.
    """
    command = ["unshare", *_NAMESPACES, sys.executable, "-I", "-S", __file__, str(root)]
    command += [os.fspath(path) for path in shared]
    with open(log, "ab") as output:
        outer = subprocess.Popen(
            [*command, "--", *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Enclosure(outer)


def remove_cgroups(name: str) -> None:
    """Removes the cgroups an ended engine left below `name`, in every hierarchy."""
    for top in [*_CGROUPS.glob(name), *_CGROUPS.glob(f"*/{name}")]:
        for directory, _, _ in os.walk(top, topdown=False):
            os.rmdir(directory)


def _only_child(outer: subprocess.Popen[bytes]) -> int:
    path = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and outer.poll() is None:
        if children := path.read_text().split():
            return int(children[0])
        time.sleep(0.005)
    raise RuntimeError("unshare did not make namespaces: is this root?")


# --- the inside: the first process of the enclosure


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _furnish(root: str, shared: Sequence[str]) -> None:
    """Gives the new root its kernel file systems. The order matters: cgroups lie below /sys."""
    _mount("-t", "proc", "proc", f"{root}/proc")
    _mount("-t", "sysfs", "sysfs", f"{root}/sys")
    _mount("--rbind", "/sys/fs/cgroup", f"{root}/sys/fs/cgroup")
    _mount("--rbind", "/dev", f"{root}/dev")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/run")
    for path in shared:
        if os.path.isdir(path):
            os.makedirs(f"{root}{path}", exist_ok=True)
        else:
            os.makedirs(os.path.dirname(f"{root}{path}"), exist_ok=True)
            open(f"{root}{path}", "a").close()
        _mount("--rbind", path, f"{root}{path}")


def _settle(root: str, shared: Sequence[str]) -> None:
    """Moves this process and its children to come into `root`."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _mount("--make-rprivate", "/")
    stage = "/mnt"
    _mount("--rbind", root, stage)
    _furnish(stage, shared)
    os.makedirs(f"{stage}/run/outside")
    subprocess.run(["pivot_root", stage, f"{stage}/run/outside"], check=True)
    os.chdir("/")
    # By the system call: a minimal root has no umount program.
    if ctypes.CDLL(None, use_errno=True).umount2(b"/run/outside", _MNT_DETACH):
        raise OSError(ctypes.get_errno(), "umount2 of the old root")


def _reap_until(child: int) -> int:
    """Collects orphans, as a first process must, until `child` ends."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def main(words: Sequence[str]) -> int:
    cut = words.index("--")
    root, shared, argv = words[0], words[1:cut], list(words[cut + 1 :])
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    _settle(root, shared)
    return _reap_until(os.posix_spawnp(argv[0], argv, os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
