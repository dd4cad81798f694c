"""A client attached to a container: its socket, handed over by the daemon."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

from lading.keeper.detach import DetachKeys
from lading.keeper.loop import BROKEN, READ, WRITE, Loop
from lading.keeper.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Attachable(Protocol):
        """What a client asks of the process it is attached to."""

        facts: Message

        @property
        def takes_input(self) -> bool: ...
        def put(self, data: bytes) -> None: ...
        def input_ended(self) -> None: ...
        def detached(self, client: Client) -> None: ...
        def relieve(self) -> None: ...
        def left(self, client: Client) -> None: ...


HIGH = 1024 * 1024
"""With more than this waiting for one client, its container's output is not read."""
LOW = HIGH // 4
_LINGER = 10.0
_READ = 64 * 1024
_FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class Client:
    """Writes what the container prints to the socket and passes on what comes from it.

    `wishes`: {"id", "key", "stdin", "stdout", "stderr", "framed", "detach_keys"
    and "early" (hex)}. Framed output has docker's 8-byte header: stream, three zeros,
    length as a big-endian word (Engine API 1.51, ContainerAttach).
    """

    def __init__(
        self, loop: Loop, connection: socket.socket, wishes: Message, gone: Callable[[Client], None]
    ) -> None:
        self._loop = loop
        self.connection = connection
        self.wishes = wishes
        self.process: Attachable | None = None
        self._gone = gone
        # What the client sent together with its request, which the daemon has read.
        self._early = bytes.fromhex(wishes.get("early") or "")
        self._keys = DetachKeys(bytes.fromhex(wishes.get("detach_keys") or ""))
        self._queue: deque[memoryview] = deque()
        self.queued = 0
        self._half_closed = False
        self._ending = False
        self._vanished = False
        self._closed = False
        self._events = -1
        self.update()

    @property
    def wants_input(self) -> bool:
        """Whether its socket is to be read now."""
        if self._half_closed or self._closed:
            return False
        if self._ending:
            return not self.queued
        if self.process is None:
            return False
        return not self.wishes["stdin"] or self.process.takes_input

    def state(self) -> Message:
        """What the same keeper needs to go on with this client after it has replaced itself."""
        return {
            "wishes": {**self.wishes, "early": self._early.hex()},
            "queue": b"".join(self._queue).hex(),
            "held": self._keys.held.hex(),
            "half_closed": self._half_closed,
            "ending": self._ending,
        }

    def resume(self, state: Message) -> None:
        """Goes on from `state`."""
        self._keys = DetachKeys(self._keys.keys, bytes.fromhex(state["held"]))
        self._half_closed = state["half_closed"]
        if state["queue"]:
            self.give(memoryview(bytes.fromhex(state["queue"])))
        if state["ending"]:
            self.end()
        self.update()

    def start(self, process: Attachable) -> None:
        """From now on it is connected to a process."""
        self.process = process
        early, self._early = self._early, b""
        if early and self.wishes["stdin"]:
            self._pass_on(early)
        self.update()

    def offer(self, stream: int, data: bytes) -> None:
        """Gives it what the container printed on `stream`."""
        if self._ending or self._vanished or not self.wishes["stdout" if stream == 1 else "stderr"]:
            return
        if self.wishes["framed"]:
            data = bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data
        self.give(memoryview(data))

    def give(self, data: memoryview) -> None:
        """Sends `data`, or what the socket does not take as soon as it does."""
        if not self.queued:
            try:
                data = data[self.connection.send(data, _FLAGS) :]
            except BlockingIOError:
                pass
            except OSError:
                self._vanish()
                return
        if data:
            self._queue.append(data)
            self.queued += len(data)
            self.update()

    def update(self) -> None:
        """Watches for what matters now; to be called when the process's readiness for input has changed."""
        if self._closed:
            return
        events = (READ if self.wants_input else 0) | (WRITE if self.queued else 0)
        if self._vanished and not events:
            # The kernel reports a hang-up without end; nothing is to be had from it.
            self._loop.unwatch(self.connection.fileno())
            self._events = -1
        elif self._events < 0:
            self._loop.watch(self.connection.fileno(), events, self._ready)
            self._events = events
        elif events != self._events:
            self._loop.change(self.connection.fileno(), events)
            self._events = events

    def _ready(self, events: int) -> None:
        if events & WRITE and self.queued:
            self._flush()
        if events & READ and self.wants_input:
            self._read()
        elif events & BROKEN and not self._closed:
            self._vanish()

    def _flush(self) -> None:
        before = self.queued
        try:
            while self._queue:
                sent = self.connection.send(self._queue[0], _FLAGS)
                self.queued -= sent
                if sent < len(self._queue[0]):
                    self._queue[0] = self._queue[0][sent:]
                else:
                    self._queue.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._vanish()
            return
        if self._ending and not self.queued:
            self._half_close()
        self.update()
        if before > LOW >= self.queued and self.process is not None:
            self.process.relieve()

    def _read(self) -> None:
        try:
            data = self.connection.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self._vanish()
            data = b""
        if not data:
            self._input_ended()
        elif self.wishes["stdin"] and not self._ending and self.process is not None:
            self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        assert self.process is not None
        detached = False
        # A stream that no human types may hold any bytes.
        if self.process.facts["tty"]:
            data, detached = self._keys.feed(data)
        if data:
            self.process.put(data)
        if detached:
            self.process.detached(self)
            self.end()

    def _input_ended(self) -> None:
        if self._half_closed:
            return
        self._half_closed = True
        if self._ending and not self.queued:
            self.close()
            return
        if self.process is not None and self.wishes["stdin"] and not self._ending:
            if self._keys.held and self.process.facts["tty"]:
                self.process.put(self._keys.held)
            self.process.input_ended()
        if self._vanished:
            self.close()
        else:
            self.update()

    def _vanish(self) -> None:
        """Nobody reads any more. What was sent before may still be there to be taken."""
        self._vanished = True
        self._queue.clear()
        self.queued = 0
        waiting = self.process is None or self._ending or not self.wishes["stdin"]
        if self._half_closed or waiting:
            self.close()
        else:
            self.update()
        if self.process is not None:
            self.process.relieve()

    def end(self) -> None:
        """No more output comes: lets the rest be sent, then closes."""
        if self._ending or self._closed:
            return
        self._ending = True
        if self._vanished:
            self.close()
            return
        if not self.queued:
            self._half_close()
        self.update()

    def _half_close(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        if self._half_closed:
            self.close()
        else:
            # Closing with unread input resets the connection and may cost the client the end of the output.
            self._loop.after(_LINGER, self.close)

    def close(self) -> None:
        """Ends the connection, whoever else may hold a descriptor of it."""
        if self._closed:
            return
        self._closed = True
        self._loop.unwatch(self.connection.fileno())
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()
        self._gone(self)
