"""A daemon under test, and the real docker CLI and docker-py pointed at it."""

import contextlib
import functools
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

IMAGE = "lading/starter"
_numbers = itertools.count(1)
_REPOSITORY = Path(__file__).parents[2]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class Engine:
    """One ladingd with everything of its own, so that many can run on one machine."""

    def __init__(self, directory: Path, *flags: str) -> None:
        number = next(_numbers)
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.data_root = directory / "data"
        self.exec_root = Path(f"/run/ldt{os.getpid()}-{number}")
        self.socket = directory / "lading.sock"
        self.bridge = f"ldt{os.getpid() % 100000}x{number}"
        self.subnet = _free_subnet(os.getpid() * 7 + number)
        self.flags = flags
        self.ever_created: set[str] = set()
        self.process: subprocess.Popen[bytes] | None = None
        self._client: DockerClient | None = None

    # --- life

    def start(self) -> None:
        """Starts the daemon and waits until it answers."""
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    Path(sys.executable).parent / "ladingd",
                    f"--data-root={self.data_root}",
                    f"--exec-root={self.exec_root}",
                    f"--pidfile={self.directory}/pid",
                    f"--config-file={self._config()}",
                    f"--bridge={self.bridge}",
                    f"--bip={self.subnet}.1/24",
                    "-H",
                    f"unix://{self.socket}",
                    "-D",
                    *self.flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready()

    def _config(self) -> Path:
        path = self.directory / "daemon.json"
        if not path.exists():
            path.write_text("{}")
        return path

    def wait_until_ready(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"ladingd ended: {self.log()}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.api("GET", "/_ping")[0] == 200:
                    return
            time.sleep(0.01)
        raise AssertionError(f"ladingd does not answer: {self.log()}")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9 of the daemon alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the daemon's exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=30)

    def keeper_pid(self) -> int:
        """The process behind the keeper's socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            probe.connect(str(self.exec_root / "keeper.sock"))
            credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[:4], sys.byteorder)

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-8000:]

    def remove_containers(self) -> None:
        for container in self.get("/containers/json?all=1"):
            self.api("DELETE", f"/containers/{container['Id']}?force=1&v=1")

    def destroy(self) -> None:
        """Takes everything down, whatever state the test left it in."""
        if self.alive():
            with contextlib.suppress(OSError, AssertionError, http.client.HTTPException):
                self.remove_containers()
            self.stop()
        with contextlib.suppress(OSError):
            os.kill(self.keeper_pid(), signal.SIGKILL)
        for mount in reversed(self.mounts()):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], check=False, capture_output=True)
        subprocess.run(
            ["nft", "delete", "table", "inet", f"lading-{self.bridge}"], check=False, capture_output=True
        )
        # Some tests build trees too deep for Python's recursion, which pytest would clear up with later.
        subprocess.run(["rm", "-rf", self.exec_root, self.data_root], check=False, capture_output=True)

    def mounts(self) -> list[str]:
        """Mount points below the engine's roots."""
        roots = (str(self.data_root), str(self.exec_root))
        with open("/proc/self/mounts", encoding="utf-8") as file:
            return [line.split()[1] for line in file if line.split()[1].startswith(roots)]

    # --- clients

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One raw API call: the status and the decoded answer."""
        payload = None if body is None else json.dumps(body).encode()
        status, raw = self.send(method, path, payload)
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw

    def send(
        self, method: str, path: str, payload: bytes | None = None, kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """One call with a body of any bytes, right or wrong: the status and the answer as it came."""
        connection = _Connection(str(self.socket))
        try:
            connection.request(method, path, payload, {} if payload is None else {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def findings(self, parameters: str = "deep=1") -> list[dict[str, Any]]:
        """What the checker of images has to say."""
        status, answer = self.send("POST", f"/lading/system/check?{parameters}")
        assert status == 200, answer
        found: list[dict[str, Any]] = json.loads(answer.splitlines()[-1])["aux"]["Findings"]
        return found

    def connect(self) -> socket.socket:
        """A connection to be used below HTTP, or to be cut."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(str(self.socket))
        return connection

    def create(self, **body: Any) -> tuple[int, Any]:
        """Creates a container of the starter image."""
        status, made = self.api("POST", "/containers/create", {"Image": IMAGE, **body})
        if status == 201:
            self.ever_created.add(made["Id"])
        return status, made

    def get(self, path: str) -> Any:
        status, answer = self.api("GET", path)
        assert status == 200, answer
        return answer

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.directory / "docker-config"),
            "PYTHONPATH": str(_REPOSITORY),
        }

    def docker(
        self, *words: str, input: bytes | None = None, check: bool = True, timeout: float = 60
    ) -> "subprocess.CompletedProcess[bytes]":
        """Runs the unmodified docker CLI."""
        return self._run([docker_cli(), *words], input, check, timeout)

    def lading(
        self, *words: str, input: bytes | None = None, check: bool = True, timeout: float = 60
    ) -> "subprocess.CompletedProcess[bytes]":
        """Runs our own CLI."""
        return self._run([str(Path(sys.executable).parent / "lading"), *words], input, check, timeout)

    def _run(
        self, argv: list[str], input: bytes | None, check: bool, timeout: float
    ) -> "subprocess.CompletedProcess[bytes]":
        done = subprocess.run(
            argv, input=input, capture_output=True, timeout=timeout, env=self.environment, check=False
        )
        if check:
            assert done.returncode == 0, f"{argv}: {done.stderr.decode()}\n{self.log()}"
        return done

    @property
    def py(self) -> DockerClient:
        """docker-py, at the engine's newest API version."""
        if self._client is None:
            self._client = DockerClient(base_url=f"unix://{self.socket}", version="auto", timeout=30)
        return self._client


def _free_subnet(hint: int) -> str:
    """The first three numbers of a subnet no link has; others may be testing on this machine."""
    shown = subprocess.run(["ip", "-4", "-o", "addr"], check=True, capture_output=True, text=True).stdout
    for offset in range(hint, hint + 7680):
        subnet = f"10.{200 + offset // 256 % 30}.{offset % 256}"
        if f" {subnet}." not in shown:
            return subnet
    raise AssertionError("there is no free subnet")


def docker_cli() -> str:
    """The docker CLI: one on the PATH, or the one `./test` put into the cache."""
    cached = _REPOSITORY / ".cache" / "docker" / "docker"
    return shutil.which("docker") or str(cached)


@functools.cache
def cli_version() -> int:
    """The docker CLI's major version."""
    told = subprocess.run([docker_cli(), "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.removeprefix("Docker version ").partition(".")[0])


def since_cli(version: int) -> pytest.MarkDecorator:
    """For what older docker CLIs say in other words, or do not do at all."""
    return pytest.mark.skipif(
        cli_version() < version, reason=f"the docker command does this from version {version} on"
    )


def wait_for(condition: Any, seconds: float = 15) -> Any:
    """Polls until `condition()` is true; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError("what was waited for did not come")
