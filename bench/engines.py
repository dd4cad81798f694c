"""The engines that are measured: how each is started, reached and told apart from its containers."""

import os
import shutil
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from bench import image, peer
from bench.api import Client, Refused
from bench.enclosure import Enclosure, enter, remove_cgroups

REPOSITORY = Path(__file__).parents[1]


class Engine(ABC):
    """One engine, started with empty roots in an enclosure and removed without a trace.

    `place` is where its state and its log go; it is emptied at every start.
    """

    name: str
    root = Path("/")

    def __init__(self, place: Path) -> None:
        self.place = place
        self._sockets = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
        self.socket = self._sockets / "engine.sock"
        self._enclosure: Enclosure | None = None

    @abstractmethod
    def argv(self) -> list[str]:
        """The daemon's command line, as seen inside the enclosure."""

    @property
    def cgroup(self) -> str:
        return f"bench-{self.name}-{os.getpid()}"

    def start(self) -> None:
        """Starts the engine and imports the image. Raises RuntimeError with the end of its log."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        (self.place / "daemon.json").write_text("{}\n")
        self._sockets.mkdir(exist_ok=True)
        log = self.place / "log"
        self._enclosure = enter(
            self.argv(), root=self.root, shared=(self.place.resolve(), self._sockets), log=log
        )
        self._wait_until_ready(log)
        self.client().call("POST", f"/images/create?fromSrc=-&repo={image.NAME}&tag=latest", image.archive())

    def stop(self) -> None:
        """Kills the engine with all its containers and removes what it kept."""
        if self._enclosure:
            self._enclosure.end()
            self._enclosure = None
        remove_cgroups(self.cgroup)
        shutil.rmtree(self.place / "state", ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def client(self) -> Client:
        return Client(str(self.socket))

    @property
    def first_pid(self) -> int:
        """The enclosure's first process: who enters its namespaces is beside the engine."""
        assert self._enclosure
        return self._enclosure.init

    def pids(self) -> list[int]:
        """All processes of the engine, without its containers'."""
        assert self._enclosure
        return self._enclosure.engine_pids()

    def version(self) -> str:
        """Name and version, with the OCI runtime's, as the engine tells them."""
        told: dict[str, Any] = self.client().json("GET", "/version")
        parts = {entry["Name"]: entry["Version"] for entry in told.get("Components") or []}
        shown = [f"{name} {parts[name]}" for name in ("containerd", "crun", "runc") if name in parts]
        return f"{self.name} {told['Version']}" + (f" ({', '.join(shown)})" if shown else "")

    def _wait_until_ready(self, log: Path, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._enclosure and self._enclosure.alive():
            try:
                self.client().call("GET", "/_ping")
                return
            except (OSError, Refused):
                time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not answer:\n{log.read_text(errors='replace')[-4000:]}")


class Lading(Engine):
    """The engine of this repository, from its virtual environment."""

    name = "lading"

    def argv(self) -> list[str]:
        return [
            os.fspath(Path(sys.executable).parent / "ladingd"),
            f"--data-root={self.place.resolve()}/state",
            f"--config-file={self.place.resolve()}/daemon.json",
            f"--cgroup-parent=/{self.cgroup}",
            "--bip=10.234.0.1/16",
            f"--host=unix://{self.socket}",
        ]


class Dockerd(Engine):
    """Debian trixie's dockerd, which starts its own containerd."""

    name = "dockerd"

    def __init__(self, place: Path, root: Path) -> None:
        super().__init__(place)
        self.root = root

    def argv(self) -> list[str]:
        return peer.argv(self.place.resolve() / "state", self.socket, self.cgroup)
