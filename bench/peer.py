"""The peer: Debian trixie's docker.io in a root of its own, made by debootstrap.

    bench/peer build             make the root (once; about a minute)
    bench/peer start [SOCKET]    start dockerd, reachable by `docker -H unix://SOCKET`
    bench/peer stop  [SOCKET]    kill it with its containers

The root is kept in $LADING_PEER_CACHE, by default .cache/peer in the clone.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.enclosure import enter, remove_cgroups

_SUITE = "trixie"
_MIRROR = "http://deb.debian.org/debian"
_PACKAGES = ("docker.io", "docker-cli", "iptables", "iproute2", "ca-certificates", "busybox-static")
_CGROUP = "bench-peer"
_DEFAULT_CACHE = Path(__file__).parents[1] / ".cache" / "peer"


def cache() -> Path:
    return Path(os.environ.get("LADING_PEER_CACHE") or _DEFAULT_CACHE)


def build() -> Path:
    """The peer's root, made where it is not there yet. Raises RuntimeError."""
    root = cache() / "root"
    if root.exists():
        return root
    if not shutil.which("debootstrap"):
        raise RuntimeError("debootstrap is missing: apt-get install debootstrap")
    # Under another name until it is whole: an interrupted debootstrap must not look finished.
    partial = cache() / "root.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    include = f"--include={','.join(_PACKAGES)}"
    with open(cache() / "debootstrap.log", "wb") as log:
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", include, _SUITE, partial, _MIRROR], stdout=log, stderr=log
        )
    if done.returncode:
        raise RuntimeError(f"debootstrap failed: see {log.name}")
    partial.rename(root)
    return root


def argv(state: Path, socket: Path, cgroup: str) -> list[str]:
    """dockerd's command line: its own roots, bridge subnet and cgroup."""
    return [
        "dockerd",
        f"--data-root={state}",
        "--exec-root=/run/docker",
        "--pidfile=/run/docker.pid",
        f"--cgroup-parent=/{cgroup}",
        "--bip=10.233.0.1/16",
        f"--host=unix://{socket}",
    ]


def start(socket: Path) -> int:
    """Starts the peer by hand; the process that holds it."""
    place = cache() / "by-hand"
    place.mkdir(parents=True, exist_ok=True)
    socket.parent.mkdir(parents=True, exist_ok=True)
    root = build()
    enclosure = enter(
        argv(place.resolve() / "state", socket, _CGROUP),
        root=root,
        shared=(place.resolve(), socket.parent),
        log=place / "log",
    )
    (place / "pid").write_text(str(enclosure.init))
    deadline = time.monotonic() + 60
    while not socket.exists() and enclosure.alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    if not socket.exists():
        raise RuntimeError(f"dockerd does not answer: see {place / 'log'}")
    return enclosure.init


def stop(socket: Path) -> None:
    """Kills the peer started by hand, with its containers. Does nothing where none runs."""
    pid_file = cache() / "by-hand" / "pid"
    if pid_file.exists():
        pid = int(pid_file.read_text())
        if b"enclosure.py" in _command(pid):
            os.kill(pid, signal.SIGKILL)
            while os.path.exists(f"/proc/{pid}"):
                time.sleep(0.05)
        pid_file.unlink()
        remove_cgroups(_CGROUP)
    socket.unlink(missing_ok=True)
    shutil.rmtree(cache() / "by-hand" / "state", ignore_errors=True)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def main(words: Sequence[str]) -> int:
    socket = Path(words[1]).absolute() if len(words) > 1 else Path("/tmp/bench-peer/docker.sock")
    if not words or words[0] not in ("build", "start", "stop"):
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    try:
        if words[0] == "build":
            print(build())
        elif words[0] == "start":
            stop(socket)
            start(socket)
            print(f"docker -H unix://{socket} version")
        else:
            stop(socket)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
