"""The resolver's door for daemons: one JSON object a line, each answered by one.

    {"op": "hello"}                                  → {"pid", "build"}
    {"op": "change", "networks", "askers", "whole"}  → {"failed": {asker: reason}}
    {"op": "end"}                                    → {}

`networks` and `askers` have facts by ID (zones.Network, zones.Asker and
sandbox.Sandbox say which), None for one that is no more; where `whole` is true,
so are all it does not name.
"""

from __future__ import annotations

import json
import os
import socket
import struct

from lading.dns.build import build
from lading.dns.loop import READ, Loop, say
from lading.dns.sandbox import Sandbox
from lading.dns.zones import Asker, Zones

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.dns.zones import Facts

_READ = 65536
_PATIENCE = 3.0
"""Seconds without sandboxes and daemon, after which nobody is going to come."""
_LOOK_AGAIN = 30.0
"""Seconds between two looks for sandboxes whose namespace was taken away unannounced."""


class Server:
    """Holds the sandboxes and does what daemons say."""

    def __init__(self, loop: Loop, listener: socket.socket) -> None:
        self._loop = loop
        self._listener = listener
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._zones = Zones()
        self._sandboxes: dict[str, Sandbox] = {}
        self._daemons: dict[int, tuple[socket.socket, bytearray]] = {}
        listener.setblocking(False)
        loop.watch(listener.fileno(), READ, self._called)
        loop.after(_PATIENCE, self._leave_if_idle)
        loop.after(_LOOK_AGAIN, self._look)

    def _called(self, _: int) -> None:
        try:
            connection, _address = self._listener.accept()
        except BlockingIOError:
            return
        # struct ucred: pid, uid, gid
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("iII", peer)[1] not in (0, os.geteuid()):
            connection.close()
            return
        self._daemons[connection.fileno()] = connection, bytearray()
        self._loop.watch(connection.fileno(), READ, lambda _: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        received = self._daemons[connection.fileno()][1]
        try:
            data = connection.recv(_READ)
        except OSError:
            data = b""
        if not data:
            self._left(connection)
            return
        received += data
        while (end := received.find(b"\n")) >= 0:
            line = bytes(received[:end])
            del received[: end + 1]
            answer = json.dumps(self._obey(json.loads(line))).encode() + b"\n"
            try:
                connection.sendall(answer)
            except OSError:
                self._left(connection)
                return

    def _left(self, connection: socket.socket) -> None:
        self._loop.unwatch(connection.fileno())
        self._daemons.pop(connection.fileno(), None)
        connection.close()
        self._loop.after(_PATIENCE, self._leave_if_idle)

    def _leave_if_idle(self) -> None:
        if not self._daemons and not self._sandboxes:
            self._loop.stop()

    def _obey(self, request: Facts) -> Facts:
        operation = request["op"]
        if operation == "change":
            return {"failed": self._change(request)}
        if operation == "end":
            self._loop.stop()
            return {}
        return {"pid": os.getpid(), "build": build()}

    def _change(self, request: Facts) -> dict[str, str]:
        networks, askers = request.get("networks", {}), request.get("askers", {})
        if request.get("whole"):
            self._zones.networks.clear()
            askers = {**dict.fromkeys(self._sandboxes), **askers}
        for identifier, facts in networks.items():
            self._zones.change_network(identifier, facts)
        failed = {}
        for identifier, facts in askers.items():
            try:
                self._change_asker(identifier, facts)
            except OSError as error:
                say(f"{identifier}: {error}")
                failed[identifier] = error.strerror or str(error)
        for sandbox in self._sandboxes.values():
            sandbox.forget()
        return failed

    def _change_asker(self, identifier: str, facts: Facts | None) -> None:
        sandbox = self._sandboxes.get(identifier)
        if sandbox is not None and (
            facts is None or sandbox.namespace.path != facts["netns"] or not sandbox.namespace.current
        ):
            self._drop(identifier)
            sandbox = None
        if facts is None:
            return
        self._zones.askers[identifier] = Asker(facts)
        if sandbox is not None:
            sandbox.change(facts)
        else:
            self._sandboxes[identifier] = Sandbox(self._loop, identifier, facts, self._zones, self._home)

    def _drop(self, identifier: str) -> None:
        self._zones.askers.pop(identifier, None)
        self._sandboxes.pop(identifier).close()

    def _look(self) -> None:
        self._loop.after(_LOOK_AGAIN, self._look)
        for identifier in [key for key, each in self._sandboxes.items() if not each.namespace.current]:
            self._drop(identifier)
        self._leave_if_idle()
