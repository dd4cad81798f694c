"""Debian's docker-registry beside an engine, in its network namespace: at 127.0.0.1 for both."""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from bench.engines import REPOSITORY, Engine


def program() -> str:
    """The registry on the path, or the one that ./test fetched. Raises RuntimeError where there is none."""
    fetched = REPOSITORY / ".cache" / "docker-registry" / "docker-registry"
    found = shutil.which("docker-registry") or (str(fetched) if fetched.exists() else "")
    if not found:
        raise RuntimeError("docker-registry is missing: ./test fetches one")
    return found


class Registry:
    """A registry with its storage in `place`, on a port of the engine's loopback."""

    def __init__(self, engine: Engine, place: Path, port: int) -> None:
        place.mkdir(parents=True, exist_ok=True)
        settings = place / "config.yml"
        settings.write_text(
            "version: 0.1\n"
            "log: {level: error}\n"
            f"storage: {{filesystem: {{rootdirectory: {place.resolve()}/storage}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n"
        )
        self.name = f"127.0.0.1:{port}"
        self._network = f"/proc/{engine.first_pid}/ns/net"
        with open(place / "log", "ab") as log:
            self._process = subprocess.Popen(
                ["nsenter", f"--net={self._network}", program(), "serve", os.fspath(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready(port)

    def stop(self) -> None:
        """Kills it; its storage stays."""
        self._process.kill()
        self._process.wait()

    def _wait_until_ready(self, port: int, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            if _listens(self._network, port):
                return
            time.sleep(0.05)
        raise RuntimeError("docker-registry does not answer")


def _listens(network: str, port: int) -> bool:
    """Asked from a thread of its own: only a thread can look into another network namespace."""
    answered = []

    def ask() -> None:
        with open(network, "rb") as namespace:
            _enter(namespace.fileno())
        with socket.socket() as probe:
            answered.append(probe.connect_ex(("127.0.0.1", port)) == 0)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return bool(answered and answered[0])


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0):
        raise OSError(ctypes.get_errno(), "setns")
