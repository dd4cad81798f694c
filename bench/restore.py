"""How long an engine with many containers takes to come back.

`python -m bench.restore` makes containers that have ended and containers that
run, takes the engine away in three ways, and prints how long it took until the
API answered and until everything ran that is to run:

stop      the engine was told to end; its containers went on
kill      the same by SIGKILL
machine   all processes, mounts and interfaces are gone as well
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench import image
from bench.api import Client, Refused
from bench.engines import REPOSITORY

_GROUP = f"bench-restore-{os.getpid()}"
_BRIDGE = f"ldbr{os.getpid() % 100000}"


class Daemon:
    """One ladingd on roots of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.exec_root = Path(f"/run/{_GROUP}")
        self.socket = f"{self.exec_root}.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Seconds until the API answered."""
        began = time.monotonic()
        with open(self.place / "log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    Path(sys.executable).parent / "ladingd",
                    f"--data-root={self.place}/state",
                    f"--exec-root={self.exec_root}",
                    f"--pidfile={self.exec_root}.pid",
                    f"--config-file={self.place}/daemon.json",
                    f"--cgroup-parent=/{_GROUP}",
                    f"--bridge={_BRIDGE}",
                    "--bip=10.233.0.1/16",
                    f"--host=unix://{self.socket}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while self.process.poll() is None:
            with contextlib.suppress(OSError, Refused):
                self.client().call("GET", "/_ping")
                return time.monotonic() - began
            time.sleep(0.005)
        raise RuntimeError((self.place / "log").read_text()[-4000:])

    def client(self) -> Client:
        return Client(self.socket)

    def running(self) -> int:
        return len(self.client().json("GET", "/containers/json"))

    def leave(self, number: int) -> None:
        """Ends the daemon alone."""
        assert self.process
        self.process.send_signal(number)
        self.process.wait()

    def _keeper(self) -> int:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            probe.connect(f"{self.exec_root}/keeper.sock")
            credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[:4], sys.byteorder)

    def restart_machine(self) -> None:
        """Leaves what a power cut leaves: the disk."""
        self.leave(signal.SIGKILL)
        for pid in [self._keeper(), *_members()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while _members():
            time.sleep(0.01)
        for mount in _mounts(str(self.exec_root), str(self.place)):
            subprocess.run(["umount", "-l", mount], check=False)
        subprocess.run(["ip", "link", "del", _BRIDGE], check=False)
        subprocess.run(["nft", "delete", "table", "inet", f"lading-{_BRIDGE}"], check=False)
        shutil.rmtree(self.exec_root, ignore_errors=True)
        _remove_groups()


def _groups() -> list[Path]:
    top = Path("/sys/fs/cgroup")
    return [*top.glob(_GROUP), *top.glob(f"*/{_GROUP}")]


def _members() -> list[int]:
    found: set[int] = set()
    for group in _groups():
        for directory, _, _ in os.walk(group):
            with contextlib.suppress(OSError):
                found.update(map(int, Path(directory, "cgroup.procs").read_text().split()))
    return sorted(found)


def _remove_groups() -> None:
    for group in _groups():
        for directory, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def _mounts(*roots: str) -> Iterator[str]:
    with open("/proc/self/mounts", encoding="utf-8") as file:
        points = [line.split()[1] for line in file]
    return reversed([point for point in points if point.startswith(roots)])


def _fill(daemon: Daemon, stopped: int, running: int) -> None:
    daemon.client().call("POST", f"/images/create?fromSrc=-&repo={image.NAME}&tag=latest", image.archive())

    def make(share: int) -> None:
        client = daemon.client()
        for number in range(share, stopped + running, 4):
            body = {"Image": image.NAME, "Cmd": ["true"] if number < stopped else ["sleep", "100000"]}
            policy = {"RestartPolicy": {"Name": "no" if number < stopped else "always"}}
            made = client.json("POST", "/containers/create", {**body, "HostConfig": policy})
            client.call("POST", f"/containers/{made['Id']}/start")

    threads = [threading.Thread(target=make, args=(share,)) for share in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while daemon.running() != running:
        time.sleep(0.1)


def _measure(daemon: Daemon, way: str, running: int) -> None:
    if way == "machine":
        daemon.restart_machine()
    else:
        daemon.leave(signal.SIGTERM if way == "stop" else signal.SIGKILL)
    began = time.monotonic()
    answered = daemon.start()
    while daemon.running() < running:
        time.sleep(0.02)
    print(
        f"{way:8} answers after {answered:5.2f} s; all run after {time.monotonic() - began:5.2f} s",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.restore", description=__doc__.splitlines()[0])
    parser.add_argument("--stopped", type=int, default=1000, help="containers that have ended (default 1000)")
    parser.add_argument("--running", type=int, default=200, help="containers that run (default 200)")
    parser.add_argument("--rounds", type=int, default=3, help="times each way is taken (default 3)")
    words = parser.parse_args()
    place = REPOSITORY / ".cache" / "bench" / "restore"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "daemon.json").write_text("{}\n")
    daemon = Daemon(place)
    try:
        daemon.start()
        print(f"making {words.stopped} ended and {words.running} running containers", flush=True)
        _fill(daemon, words.stopped, words.running)
        for _ in range(words.rounds):
            for way in ("stop", "kill", "machine"):
                _measure(daemon, way, words.running)
    finally:
        daemon.restart_machine()
        shutil.rmtree(place, ignore_errors=True)
        for suffix in (".sock", ".pid"):
            Path(f"{daemon.exec_root}{suffix}").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
