"""A process the keeper holds: a container's first one, or one executed in a container."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from lading.keeper.client import HIGH, Client
from lading.keeper.input import Input
from lading.keeper.log import Log
from lading.keeper.loop import READ, Loop, say
from lading.keeper.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_READ = 64 * 1024
# What a pipe can hold when its process ends, and somewhat more; what comes after is another process's.
_REST = 2 * 1024 * 1024


class Process:
    """Its descriptors, its log and the clients attached to it.

    `facts` is all that a later keeper, or the daemon, must know, as plain JSON:
    key, container, exec, tty, open_stdin, stdin_once, sink, record, pid,
    started_ns, slots, oom_file, foreign, state ("running" | "exited"), code, finished_ns, oom,
    reason. `descriptors` names stdin, stdout, stderr; with a tty the master is
    stdin and stdout.
    """

    def __init__(
        self,
        loop: Loop,
        facts: Message,
        pidfd: int,
        descriptors: dict[str, int],
        log: Log | None,
        announce: Callable[[Message], None],
    ) -> None:
        self._loop = loop
        self.facts = facts
        self.pidfd = pidfd
        self.log = log
        self._announce = announce
        self.clients: list[Client] = []
        self._input: Input | None = None
        if "stdin" in descriptors:
            self._input = Input(loop, descriptors["stdin"], self._update_clients, self._input_closed)
        self._outputs = {
            stream: descriptors[name]
            for stream, name in ((1, "stdout"), (2, "stderr"))
            if name in descriptors
        }
        self._paused = False
        self._complained = False

    @property
    def key(self) -> str:
        """The container's id or the exec's."""
        return str(self.facts["key"])

    @property
    def running(self) -> bool:
        """Whether it may still be signalled."""
        return bool(self.facts["state"] == "running")

    @property
    def takes_input(self) -> bool:
        """Whether more input can be passed on now."""
        return self._input is None or not self._input.blocked

    def descriptors(self) -> dict[str, int]:
        """Everything another holder needs to take its place."""
        held = {"pidfd": self.pidfd} if self.pidfd >= 0 else {}
        if self._input is not None and self._input.file >= 0:
            held["stdin"] = self._input.file
        for stream, file in self._outputs.items():
            held["stdout" if stream == 1 else "stderr"] = file
        return held

    def state(self) -> Message:
        """What the same keeper needs to go on with this process after it has replaced itself."""
        held = self._input.state() if self._input is not None else ("", False)
        return {"facts": self.facts, "descriptors": self.descriptors(), "input": held}

    def resume(self, state: Message) -> None:
        """Goes on from `state`."""
        pending, ending = state["input"]
        if self._input is not None:
            self._input.put(bytes.fromhex(pending))
            if ending:
                self._input.end()
        self.begin()

    def begin(self) -> None:
        """Starts to copy."""
        for stream, file in self._outputs.items():
            os.set_blocking(file, False)
            self._watch(stream, file)

    def _watch(self, stream: int, file: int) -> None:
        self._loop.watch(file, READ, lambda events: self._readable(stream))

    # Output

    def _readable(self, stream: int) -> None:
        data = self._read(stream)
        if data:
            self._spread(stream, data)
        elif data is not None:
            self._close_output(stream)

    def _read(self, stream: int) -> bytes | None:
        """What is there; empty at the end, None where there is nothing now."""
        file = self._outputs[stream]
        if self.log is not None and not self.facts["tty"]:
            try:
                return self.log.take(stream, file)
            except BlockingIOError:
                return None
            except OSError as error:
                # The journal's fault, not the pipe's.
                self._complain(error)
        try:
            return os.read(file, _READ)
        except BlockingIOError:
            return None
        except OSError:
            # A pty whose last user has gone answers EIO.
            return b""

    def _spread(self, stream: int, data: bytes) -> None:
        if self.log is not None:
            self._try(self.log.write, stream, data)
        for client in tuple(self.clients):
            client.offer(stream, data)
        if self.log is not None:
            self._try(self.log.done)
        if not self._paused and any(client.queued > HIGH for client in self.clients):
            self._paused = True
            for file in self._outputs.values():
                self._loop.unwatch(file)

    def relieve(self) -> None:
        """A client has caught up, or gone: reads again if no other is behind."""
        if self._paused and not any(client.queued > HIGH for client in self.clients):
            self._paused = False
            for stream, file in self._outputs.items():
                self._watch(stream, file)

    def _try(self, step: Callable[..., None], *arguments: object) -> None:
        """Something of the log's. A fault there must neither hold the container up nor hide its end."""
        try:
            step(*arguments)
        except Exception as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Says once that output is missing from the log: more would fill the disk the trouble may be with."""
        if not self._complained:
            self._complained = True
            say(f"{self.facts['sink'].get('path')}: not all that {self.key} prints is logged: {error!r}")

    def restore_log(self) -> None:
        """Has the log go on where another keeper, or this one's former self, left off."""
        if self.log is not None:
            self._try(self.log.restore)

    def _close_output(self, stream: int) -> None:
        file = self._outputs.pop(stream)
        self._loop.unwatch(file)
        os.close(file)

    # Clients and input

    def join(self, client: Client) -> None:
        """Attaches a client, who gets what is printed from now on."""
        self.clients.append(client)
        client.start(self)

    def left(self, client: Client) -> None:
        """A client's connection has ended."""
        if client in self.clients:
            self.clients.remove(client)
            self.relieve()

    def detached(self, client: Client) -> None:
        """A client's user pressed the detach keys."""
        self._announce({"news": "detached", "key": self.key, "client": client.wishes["id"]})

    def put(self, data: bytes) -> None:
        """Passes on what a client sent."""
        if self._input is not None:
            self._input.put(data)
            if self._input.blocked:
                self._update_clients()

    def _update_clients(self) -> None:
        for client in tuple(self.clients):
            client.update()

    def input_ended(self) -> None:
        """A client sends no more."""
        if self.facts["stdin_once"] and not self.facts["tty"]:
            self.close_input()

    def close_input(self) -> None:
        """Closes standard input once everything was passed on."""
        if self._input is not None and not self.facts["tty"]:
            self._input.end()

    def _input_closed(self) -> None:
        self._input = None
        # The daemon's duplicate would keep the pipe open.
        self._announce({"news": "stdin-closed", "key": self.key})

    def resize(self, height: int, width: int) -> None:
        """Sets the terminal's size. Raises OSError where there is none."""
        if not self.facts["tty"] or 1 not in self._outputs:
            raise OSError("the process has no terminal")
        fcntl.ioctl(self._outputs[1], termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    # The end

    def finish(self) -> None:
        """Takes the rest of the output, then closes everything but the clients still being served."""
        for stream in tuple(self._outputs):
            left = _REST
            while left > 0 and (data := self._read(stream)):
                left -= len(data)
                self._spread(stream, data)
            self._close_output(stream)
        if self.log is not None:
            self._try(self.log.finish)
            self.log = None
        if self._input is not None:
            held, self._input = self._input, None
            held.close()
        for client in tuple(self.clients):
            client.end()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
