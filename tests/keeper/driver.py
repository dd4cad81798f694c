"""A keeper process for the tests, and a daemon's end of its connection that waits."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lading.keeper
from lading.keeper import Message, receive, send

# A stand-in for the OCI runtime: starts a command with the streams it was given and leaves.
FAKE_RUNTIME = """#!/bin/sh
# The command is an orphan from the start, as a container's process is.
rm -f "$1"
setsid -f sh -c 'echo $$ > "$0"; exec "$@"' "$@"
until [ -s "$1" ]; do :; done
"""


class Daemon:
    """One connection."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.news: list[Message] = []
        self._number = 0

    def ask(
        self, operation: str, named: Mapping[str, int] | None = None, **fields: Any
    ) -> tuple[Message, dict[str, int]]:
        """The whole reply, be it `ok` or `error`, and its descriptors."""
        self._number += 1
        message = {"op": operation, "n": self._number, **fields}
        if named:
            message["fds"] = list(named)
        send(self.socket, message, (named or {}).values())
        while True:
            reply, descriptors = self._receive()
            if reply.get("n") == self._number:
                return reply, dict(zip(reply.get("fds", ()), descriptors, strict=True))
            self.news.append(reply)

    def wait(self, kind: str, key: str) -> Message:
        """The next news of this kind."""
        while True:
            for news in self.news:
                if news["news"] == kind and news["key"] == key:
                    self.news.remove(news)
                    return news
            self.news.append(self._receive()[0])

    def _receive(self) -> tuple[Message, list[int]]:
        found = receive(self.socket)
        assert found is not None, "the keeper went away"
        return found

    def close(self) -> None:
        self.socket.close()


class KeeperProcess:
    """A keeper in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "keeper.sock"
        self.log = directory / "keeper.log"
        self.runtime = directory / "runtime.sh"
        self.runtime.write_text(FAKE_RUNTIME)
        self.runtime.chmod(0o755)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        """Starts it, or another after the first has died."""
        program = Path(lading.keeper.__file__).with_name("__main__.py")
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), str(self.path), str(self.log)],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.read() == b"", "the keeper says it listens by closing its output"
        process.stdout.close()
        self.processes.append(process)
        self.daemon = Daemon(self.path)

    @property
    def pid(self) -> int:
        return self.processes[-1].pid

    def kill(self) -> None:
        """Kills the keeper as the kernel's OOM killer would."""
        self.processes[-1].kill()
        self.processes[-1].wait()
        self.daemon.close()

    def facts(self, key: str, **changes: Any) -> Message:
        """Facts of a process, with a json-file log under the key's name."""
        return {
            "key": key,
            "container": key,
            "exec": None,
            "tty": False,
            "open_stdin": False,
            "stdin_once": False,
            "sink": {"driver": "json-file", "path": str(self.log_path(key))},
            "record": str(self.directory / f"{key}.exit"),
            **changes,
        }

    def log_path(self, key: str) -> Path:
        return self.directory / f"{key}-json.log"

    def launch(self, key: str, *command: str, **changes: Any) -> Message:
        """Starts a command by the stand-in runtime; keeps none of the descriptors."""
        reply, named = self.hold(key, *command, **changes)
        for descriptor in named.values():
            os.close(descriptor)
        return reply

    def hold(self, key: str, *command: str, **changes: Any) -> tuple[Message, dict[str, int]]:
        """Starts a command and keeps the descriptors, as a daemon does."""
        return self.daemon.ask(
            "launch",
            facts=self.facts(key, **changes),
            argv=[str(self.runtime), str(self.directory / f"{key}.pid"), *command],
            env={"PATH": os.environ["PATH"]},
            pid_file=str(self.directory / f"{key}.pid"),
            log=str(self.directory / f"{key}.runtime-log"),
        )

    def attach(self, key: str, **wishes: Any) -> "User":
        """Attaches a user; by default to everything, raw."""
        ours, theirs = socket.socketpair()
        wanted = {"key": key, "stdin": True, "stdout": True, "stderr": True, "framed": False, **wishes}
        reply, _ = self.daemon.ask("attach", {"client": theirs.fileno()}, wishes=wanted)
        theirs.close()
        assert "ok" in reply, reply
        return User(ours)

    def destroy(self) -> None:
        """Ends what the test left."""
        for process in self.processes:
            if process.poll() is None:
                for child in children(process.pid):
                    os.kill(child, signal.SIGKILL)
                process.kill()
                process.wait()
        self.daemon.close()


class User:
    """Who is attached."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.settimeout(20)
        self.received = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def read_until(self, text: bytes) -> bytes:
        """All that came up to and with `text`."""
        while text not in self.received:
            data = self.socket.recv(65536)
            assert data, f"the stream ended with {self.received!r}"
            self.received += data
        before, found, self.received = self.received.partition(text)
        return before + found

    def read_all(self) -> bytes:
        """All that came until the stream ended."""
        while data := self.socket.recv(65536):
            self.received += data
        return self.received

    def has_something(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])


def children(pid: int) -> list[int]:
    """The child processes of `pid`."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
