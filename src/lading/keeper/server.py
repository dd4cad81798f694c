"""The keeper's door: connections of daemons, requests, replies and news."""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping

from lading.keeper import wire
from lading.keeper.keeper import Keeper, Refused
from lading.keeper.loop import BROKEN, READ, WRITE, Loop, say
from lading.keeper.parking import Parking
from lading.keeper.wire import Message

# One packet carries 250 descriptors; clients beyond that are lost if the keeper dies.
_CLIENTS = 200
_AGAIN = 0.01


class Connection:
    """One daemon. It may be slow or stopped: what it cannot take waits here."""

    def __init__(self, loop: Loop, connection: socket.socket, server: Server) -> None:
        self._loop = loop
        self.socket = connection
        self._server = server
        self._queue: deque[tuple[bytes, list[int]]] = deque()
        connection.setblocking(False)
        loop.watch(connection.fileno(), READ, self._ready)

    def send(self, message: Message, descriptors: Mapping[str, int] | None = None) -> None:
        """Sends now or as soon as the peer reads."""
        if self.socket.fileno() < 0:
            return
        names = descriptors or {}
        self._queue.append(wire.encode({**message, "fds": list(names)} if names else message, names.values()))
        self._flush()

    @property
    def busy(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._queue)

    def _flush(self) -> None:
        try:
            while self._queue:
                packet, copies = self._queue[0]
                wire.transmit(self.socket, packet, copies)
                self._queue.popleft()
                for copy in copies:
                    os.close(copy)
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        self._loop.change(self.socket.fileno(), READ | (WRITE if self._queue else 0))

    def _ready(self, events: int) -> None:
        if events & WRITE and self._queue:
            self._flush()
        if events & (READ | BROKEN):
            self._receive()

    def _receive(self) -> None:
        try:
            found = wire.receive(self.socket)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            found = None
        if found is None:
            self.close()
            return
        message, descriptors = found
        self._server.handle(self, message, descriptors)

    def close(self) -> None:
        """Ends the connection."""
        if self.socket.fileno() < 0:
            return
        self._loop.unwatch(self.socket.fileno())
        self.socket.close()
        for _packet, copies in self._queue:
            for copy in copies:
                os.close(copy)
        self._queue.clear()
        self._server.left(self)


class Server:
    """Listens, and turns requests into calls of the keeper."""

    # Nothing is held and nobody is connected: how long to wait for the next daemon.
    _PATIENCE = 3.0

    def __init__(
        self, loop: Loop, listener: socket.socket, upgrade: Callable[[Connection, int], None]
    ) -> None:
        self._loop = loop
        self.listener = listener
        self.connections: list[Connection] = []
        self.keeper = Keeper(loop, self.announce)
        self._upgrade = upgrade
        self.parking = Parking()
        listener.setblocking(False)
        loop.watch(listener.fileno(), READ, self._called)
        self._simple: dict[str, Callable[[Message], Message | None]] = {
            "ping": lambda _: None,
            "unpark": lambda m: self.parking.unpark(m["number"]),
            "resize": lambda m: self.keeper.resize(m["key"], m["height"], m["width"]),
            "signal": lambda m: self.keeper.signal(m["key"], m["signal"]),
            "close_stdin": lambda m: self.keeper.process(m["key"]).close_input(),
            "forget": lambda m: self.keeper.forget(m["key"]),
            "exited": lambda m: self.keeper.tell_exit(m["key"], m["code"]),
        }
        self._loop.after(self._PATIENCE, self.leave_if_idle)

    def announce(self, news: Message) -> None:
        """Tells every daemon."""
        for connection in tuple(self.connections):
            connection.send(news)

    def _called(self, _: int) -> None:
        try:
            connection, _address = self.listener.accept()
        except BlockingIOError:
            return
        # struct ucred: pid, uid, gid
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("iII", peer)[1] not in (0, os.geteuid()):
            connection.close()
            return
        self.greet(connection)

    def greet(self, connection: socket.socket) -> None:
        """Takes a connected daemon in."""
        self.connections.append(Connection(self._loop, connection, self))

    def left(self, connection: Connection) -> None:
        """A daemon has gone."""
        self.connections.remove(connection)
        self._loop.after(self._PATIENCE, self.leave_if_idle)

    def leave_if_idle(self) -> None:
        """Ends the keeper if nobody would miss it."""
        if not self.connections and self.keeper.idle:
            self._loop.stop()

    def handle(self, connection: Connection, message: Message, descriptors: list[int]) -> None:
        """Does what is asked and answers."""
        number = message.get("n")

        def reply(result: Message, named: Mapping[str, int]) -> None:
            connection.send({"n": number, "ok": result}, named)

        def refuse(error: Refused) -> None:
            connection.send({"n": number, "error": str(error), "kind": error.kind, "code": error.code})

        try:
            self._dispatch(connection, message, descriptors, reply, refuse)
        except Refused as error:
            refuse(error)
        except OSError as error:
            refuse(Refused("failed", error.strerror or str(error)))
        except (LookupError, TypeError, ValueError) as error:
            say(f"bad request {message.get('op')!r}: {error!r}")
            refuse(Refused("failed", f"bad request: {error!r}"))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _dispatch(
        self,
        connection: Connection,
        message: Message,
        descriptors: list[int],
        reply: Callable[[Message, Mapping[str, int]], None],
        refuse: Callable[[Refused], None],
    ) -> None:
        operation = message["op"]
        if operation in self._simple:
            reply(self._simple[operation](message) or {}, {})
        elif operation == "launch":
            self.keeper.launch(message, reply, refuse)
        elif operation == "attach":
            client = socket.socket(fileno=descriptors.pop(0))
            try:
                reply({"client": self.keeper.attach(message["wishes"], client)}, {})
            except Refused:
                client.close()
                raise
        elif operation == "park":
            reply({"number": self.parking.park(message["about"], descriptors[0])}, {})
        elif operation == "parked":
            abouts, connections = self.parking.all()
            reply({"abouts": abouts}, connections)
        elif operation == "hello":
            self._greet_back(reply)
        elif operation == "upgrade":
            self._upgrade(connection, message["n"])
        elif operation == "handles":
            self._handles(message["key"], reply)
        elif operation == "journal":
            reply({}, {"journal": self.keeper.journal.file})
        elif operation == "take_journal":
            reply(self.keeper.take_journal(descriptors.pop(0)), {})
        elif operation == "adopt":
            held = dict(zip(message.get("fds", ()), descriptors, strict=True))
            descriptors.clear()
            process = self.keeper.adopt(message["facts"], held)
            reply(dict(process.facts), {})
        else:
            raise Refused("failed", f"unknown operation {operation!r}")

    def _greet_back(self, reply: Callable[[Message, Mapping[str, int]], None]) -> None:
        """Answers once nothing is being launched: what another daemon began belongs to the answer."""
        if self.keeper.launching:
            self._loop.after(_AGAIN, lambda: self._greet_back(reply))
        else:
            reply(self.keeper.about(), {})

    def _handles(self, key: str, reply: Callable[[Message, Mapping[str, int]], None]) -> None:
        """A process's facts and descriptors, its clients among them, for the daemon to hold."""
        process = self.keeper.process(key)
        named = dict(process.descriptors())
        clients = []
        for client in process.clients[:_CLIENTS]:
            clients.append(client.wishes)
            named[f"client-{client.wishes['id']}"] = client.connection.fileno()
        reply({"facts": process.facts, "clients": clients}, named)
