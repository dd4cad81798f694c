"""Containers for the tests: a root with busybox and the smallest configuration the OCI runtimes take."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lading.errors import Conflict
from lading.paths import Layout
from lading.runtime import Detached, Exec, Exit, Launch, Runtime, Started

# One for all that the tests start, processes of their own included.
CGROUP = f"lading-test-{os.environ.setdefault('LADING_TEST_RUN', str(os.getpid()))}"
APPLETS = ("cat", "echo", "false", "head", "ls", "printf", "seq", "sh", "sleep", "stty", "true", "tty")


def make_root(path: Path) -> None:
    """A root file system of Debian's busybox-static."""
    (path / "bin").mkdir(parents=True)
    (path / "plain").write_text("not a program")
    shutil.copy("/bin/busybox", path / "bin")
    for applet in APPLETS:
        (path / "bin" / applet).symlink_to("busybox")


class Room:
    """A runtime room on roots of its own, and the news it tells."""

    def __init__(self, directory: Path, root: Path, oci: str = "") -> None:
        self.layout = Layout(str(directory / "data"), str(directory / "exec"))
        self.layout.make()
        self.directory = directory
        self.root = root
        self.oci = oci
        self.launched: set[str] = set()

    async def open(self) -> None:
        self.news: asyncio.Queue[Exit | Detached] = asyncio.Queue()
        self.runtime = Runtime(self.layout, default=self.oci)
        self.runtime.on_news(self.news.put_nowait)
        await self.runtime.start()

    async def launch(self, key: str, *command: str, **changes: Any) -> Started:
        bundle = Path(self.layout.bundles) / key
        bundle.mkdir(exist_ok=True)
        (bundle / "config.json").write_text(json.dumps(self.spec(key, command, **changes)))
        self.launched.add(key)
        return await self.runtime.launch(
            Launch(
                key=key,
                bundle=str(bundle),
                sink={"driver": "json-file", "path": str(self.log(key))},
                record_path=str(self.directory / f"{key}.exit"),
                argv0=command[0],
                **changes,
            )
        )

    async def execute(self, key: str, container: str, *command: str, **changes: Any) -> Started:
        self.launched.add(key)
        return await self.runtime.execute(
            Exec(key=key, container_id=container, process=self.process(command), **changes)
        )

    async def ended(self, key: str) -> Exit:
        async with asyncio.timeout(20):
            while True:
                news = await self.news.get()
                if isinstance(news, Exit) and news.key == key:
                    return news

    def process(
        self,
        command: tuple[str, ...],
        *,
        tty: bool = False,
        console_size: tuple[int, int] = (0, 0),
        **_: object,
    ) -> dict[str, Any]:
        return {
            "terminal": tty,
            "consoleSize": {"height": console_size[0], "width": console_size[1]},
            "user": {"uid": 0, "gid": 0},
            "args": list(command),
            "env": ["PATH=/bin", "TERM=xterm"],
            "cwd": "/",
        }

    def spec(self, key: str, command: tuple[str, ...], **changes: Any) -> dict[str, Any]:
        return {
            "ociVersion": "1.0.2",
            "process": self.process(command, **changes),
            "root": {"path": str(self.root)},
            "hostname": key[:12],
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
                {
                    "destination": "/dev/pts",
                    "type": "devpts",
                    "source": "devpts",
                    "options": ["newinstance", "ptmxmode=0666", "mode=0620"],
                },
            ],
            "linux": {
                "cgroupsPath": f"/{CGROUP}/{key}",
                "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            },
        }

    def log(self, key: str) -> Path:
        return self.directory / f"{key}-json.log"

    def logged(self, key: str) -> str:
        return "".join(json.loads(line)["log"] for line in self.log(key).read_text().splitlines())

    async def keeper_pid(self) -> int:
        """The keeper's process, found as an administrator would."""
        async with asyncio.timeout(20):
            while (found := find_keeper(self.layout.keeper_socket)) is None:
                await asyncio.sleep(0.001)
        return found

    async def destroy(self) -> None:
        """Ends everything; the keeper leaves once nobody needs it."""
        for key in self.runtime.running():
            # It may just have ended by itself.
            with contextlib.suppress(Conflict):
                await self.runtime.signal(key, 9)
            while key in self.runtime.running():
                await asyncio.wait_for(self.news.get(), 20)
        for key in self.launched:
            await self.runtime.forget(key)
            await self.runtime.delete(key)
        await self.runtime.close()


def find_keeper(socket_path: str) -> int | None:
    """The process id of the keeper behind a socket; its name is its own once it is set up."""
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
                leader = Path(f"/proc/{entry}/stat").read_text().split()[5] == entry
            except OSError:
                continue
            # A child on its way to the OCI runtime looks the same, but leads no session.
            if leader and os.fsencode(socket_path) in words:
                return int(entry)
    return None


class User:
    """Who is attached, without blocking the loop."""

    def __init__(self) -> None:
        self.socket, self.theirs = socket.socketpair()
        self.socket.setblocking(False)
        self.received = b""

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    async def read_until(self, text: bytes) -> bytes:
        async with asyncio.timeout(20):
            while text not in self.received:
                data = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
                assert data, f"the stream ended with {self.received!r}"
                self.received += data
        before, found, self.received = self.received.partition(text)
        return before + found

    async def read_all(self) -> bytes:
        async with asyncio.timeout(20):
            while data := await asyncio.get_running_loop().sock_recv(self.socket, 65536):
                self.received += data
        return self.received


Script = Callable[[Room], Any]


def play(room: Room, script: Script) -> None:
    """Opens the room, runs the script in it and clears up."""

    async def whole() -> None:
        await room.open()
        try:
            await script(room)
        finally:
            await room.destroy()

    asyncio.run(whole())
