"""The keeper replaces itself by its newer files, keeping children, descriptors and connections.

exec(2) keeps the process: its children stay its children and every descriptor
that is not closed on exec stays open. All else goes into a memory file.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

from lading.keeper.client import Client
from lading.keeper.journal import Journal
from lading.keeper.loop import say
from lading.keeper.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.keeper.connection import Connection
    from lading.keeper.server import Server

_AGAIN = 0.05


def upgrade(server: Server, arguments: list[str], asker: Connection, number: int) -> None:
    """Replaces the keeper as soon as nothing is under way; the newer one answers request `number`."""
    keeper = server.keeper
    if keeper.launching or keeper.compressing or any(connection.busy for connection in server.connections):
        keeper.loop.after(_AGAIN, lambda: upgrade(server, arguments, asker, number))
        return
    state = {
        "listener": server.listener.fileno(),
        "connections": [connection.socket.fileno() for connection in server.connections],
        "asker": asker.socket.fileno(),
        "number": number,
        "journal": keeper.journal.file,
        "processes": [process.state() for process in keeper.processes.values()],
        "clients": [
            {**client.state(), "descriptor": client.connection.fileno()} for client in keeper.clients.values()
        ],
        "last_client": keeper.last_client,
        "parked": server.parking.state(),
    }
    file = os.memfd_create("keeper-state", os.MFD_CLOEXEC)
    os.write(file, json.dumps(state).encode())
    kept = [file, *_descriptors(state)]
    for descriptor in kept:
        os.set_inheritable(descriptor, True)
    # Between the two of us nobody handles signals, and what is ignored stays so over exec(2).
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    program = [sys.executable, "-I", "-S", sys.argv[0], *arguments, str(file)]
    try:
        os.execv(sys.executable, program)
    except OSError as error:
        say(f"cannot upgrade: {sys.executable}: {error.strerror}")
        for descriptor in kept:
            os.set_inheritable(descriptor, False)
        os.close(file)
        asker.send({"n": number, "error": str(error), "kind": "failed", "code": 0})


def read_state(file: int) -> Message:
    """What the former self left; its descriptors are closed on exec from here on."""
    with open(file, "rb") as stream:
        stream.seek(0)
        state: Message = json.load(stream)
    for descriptor in _descriptors(state):
        os.set_inheritable(descriptor, False)
    return state


def resume(server: Server, state: Message) -> None:
    """Goes on where the former self stopped."""
    keeper = server.keeper
    os.close(keeper.journal.file)
    keeper.journal = Journal(state["journal"])
    keeper.last_client = state["last_client"]
    for each in state["processes"]:
        held = dict(each["descriptors"])
        keeper.hold(each["facts"], held.pop("pidfd", -1), held).restore_log()
    for each in state["clients"]:
        client = Client(
            keeper.loop, socket.socket(fileno=each["descriptor"]), each["wishes"], keeper.client_gone
        )
        keeper.connect(client)
        client.resume(each)
    for each in state["processes"]:
        process = keeper.processes[each["facts"]["key"]]
        if process.running:
            process.resume(each)
            keeper.follow(process)
    server.parking.resume(_parked(state))
    for descriptor in state["connections"]:
        server.greet(socket.socket(fileno=descriptor))
    for connection in server.connections:
        if connection.socket.fileno() == state["asker"]:
            connection.send({"n": state["number"], "ok": {}})
    # The signal of a child that ended meanwhile is gone.
    keeper.children.reap()


def _parked(state: Message) -> Message:
    # A former self of before there was any parking says nothing of it.
    parked: Message = state.get("parked", {"held": [], "last": 0})
    return parked


def _descriptors(state: Message) -> list[int]:
    found = [state["listener"], state["journal"], *state["connections"]]
    found += [client["descriptor"] for client in state["clients"]]
    found += [connection["descriptor"] for connection in _parked(state)["held"]]
    for process in state["processes"]:
        found += process["descriptors"].values()
    return found
