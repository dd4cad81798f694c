"""Starting a process by the OCI runtime.

The runtime gets the container's standard streams as its own, sets the
container up, writes the process's id into a file and exits. What it leaves
behind becomes our child, since we are its subreaper.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
import time
from collections.abc import Callable

from lading.keeper.children import Children
from lading.keeper.loop import READ, Loop, try_write
from lading.keeper.wire import Message, receive_descriptors

# Linux 2.6.35; a larger pipe means fewer turns for a container that prints much.
_PIPE_SIZE = 256 * 1024
_ERROR_TEXT = 16 * 1024

Launched = Callable[[int, int, dict[str, int]], None]
Failed = Callable[[str, int], None]


class Launch:
    """One runtime at work.

    `order`: {"argv", "env", "pid_file", "log", "console_size": [height, width]
    or null} beside the process's facts. In `argv`, "{console}" is replaced by
    the path of the console socket.
    """

    _serial = 0

    def __init__(
        self,
        loop: Loop,
        children: Children,
        facts: Message,
        order: Message,
        launched: Launched,
        failed: Failed,
    ) -> None:
        self._loop = loop
        self._children = children
        self._facts = facts
        self._order = order
        self._launched = launched
        self._failed = failed
        self._console_name = ""
        self._console: socket.socket | None = None
        self._caller: socket.socket | None = None
        self._held: dict[str, int] = {}
        self._given: list[int] = []

    def begin(self) -> None:
        """Spawns the runtime. Raises OSError where that cannot be."""
        try:
            stdio = self._terminal() if self._facts["tty"] else self._pipes()
            argv = [self._console_path() if word == "{console}" else word for word in self._order["argv"]]
            self._children.expect()
            try:
                pid = self._children.spawn(argv, self._order["env"], stdio, self._runtime_ended)
            except OSError:
                self._children.settle()
                raise
            # A container must not inherit what protects the keeper.
            try_write(f"/proc/{pid}/oom_score_adj", "0")
        except OSError:
            self._give_up()
            raise
        finally:
            self._close_given()

    def _pipes(self) -> list[int]:
        if self._facts["open_stdin"]:
            inside, self._held["stdin"] = os.pipe2(os.O_CLOEXEC)
            self._given.append(inside)
        else:
            self._given.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        for name in ("stdout", "stderr"):
            self._held[name], inside = os.pipe2(os.O_CLOEXEC)
            self._given.append(inside)
            try:
                fcntl.fcntl(inside, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
            except PermissionError:
                pass
        return list(self._given)

    def _terminal(self) -> list[int]:
        self._given.append(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC))
        Launch._serial += 1
        self._console_name = f"console-{os.getpid()}-{Launch._serial}.sock"
        self._console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Relative: an address has room for 107 bytes of path.
        self._console.bind(self._console_name)
        self._console.listen(1)
        # A runtime may exit without a call, or call and hand over nothing: nobody waits for that.
        self._console.setblocking(False)
        self._loop.watch(self._console.fileno(), READ, self._called)
        return self._given * 3

    def _console_path(self) -> str:
        # The runtime changes its directory; by way of ours the path stays short.
        return f"/proc/{os.getpid()}/cwd/{self._console_name}"

    def _called(self, _: int) -> None:
        if self._console is None or self._caller is not None:
            return
        try:
            self._caller, _address = self._console.accept()
        except OSError:
            return
        self._caller.setblocking(False)
        self._loop.unwatch(self._console.fileno())
        self._loop.watch(self._caller.fileno(), READ, self._handed)

    def _handed(self, _: int) -> None:
        """The runtime hands over the master of the container's pty."""
        if self._caller is None:
            return
        try:
            descriptors = receive_descriptors(self._caller, 4096, 1)[1]
        except BlockingIOError:
            return
        except OSError:
            descriptors = []
        self._loop.unwatch(self._caller.fileno())
        if descriptors:
            self._held["stdout"] = descriptors[0]
            size = self._order.get("console_size") or (0, 0)
            if any(size):
                try:
                    fcntl.ioctl(descriptors[0], termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
                except OSError:
                    # No terminal; who uses it will see.
                    pass

    def _close_console(self) -> None:
        if self._console is None:
            return
        for connection in (self._console, self._caller):
            if connection is not None:
                self._loop.unwatch(connection.fileno())
                connection.close()
        self._console = self._caller = None
        os.unlink(self._console_name)

    def _runtime_ended(self, code: int) -> None:
        try:
            pid = self._pid() if code == 0 else 0
            text = f"the OCI runtime exited with code {code}"
            if pid and self._facts["tty"] and not self._collect_master():
                pid = 0
                text = "the OCI runtime handed over no terminal"
            if not pid:
                text = self._error_text() or text
                self._give_up()
                self._failed(text, code)
                return
            self._close_console()
            self._launched(pid, time.time_ns(), self._held)
        finally:
            self._children.settle()

    def _collect_master(self) -> bool:
        # The runtime may have ended before we came to accept its call.
        if self._caller is None:
            self._called(READ)
        if "stdout" not in self._held:
            self._handed(READ)
        if "stdout" not in self._held:
            return False
        self._held["stdin"] = os.dup(self._held["stdout"])
        return True

    def _pid(self) -> int:
        try:
            with open(self._order["pid_file"], encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return 0

    def _error_text(self) -> str:
        """What the runtime says went wrong: its log, or else what it printed."""
        text = ""
        try:
            with open(self._order["log"], encoding="utf-8", errors="replace") as file:
                text = file.read(_ERROR_TEXT).strip()
        except OSError:
            pass
        if not text and "stderr" in self._held:
            os.set_blocking(self._held["stderr"], False)
            try:
                text = os.read(self._held["stderr"], _ERROR_TEXT).decode(errors="replace").strip()
            except BlockingIOError:
                pass
        return text

    def _give_up(self) -> None:
        self._close_console()
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held = {}

    def _close_given(self) -> None:
        for descriptor in self._given:
            os.close(descriptor)
        self._given = []
