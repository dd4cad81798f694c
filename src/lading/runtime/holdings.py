"""What the daemon holds of each process, so that the keeper's death costs nothing.

Duplicates of a container's pipes keep them open for a next keeper, the pidfd
tells of the process's end, and the facts are all else a keeper must know.
"""

import contextlib
import os
import socket
from dataclasses import dataclass, field

from lading.keeper import Message
from lading.runtime.words import Exit, Process


@dataclass(slots=True)
class Held:
    """One process."""

    facts: Message
    descriptors: dict[str, int]

    @property
    def running(self) -> bool:
        """Whether its end is not known yet."""
        return bool(self.facts["state"] == "running")

    def process(self) -> Process:
        """For the rooms above."""
        facts = self.facts
        return Process(facts["key"], facts["container"], facts["exec"], facts["pid"], facts["started_ns"])

    def exit(self) -> Exit:
        """Its end, once it is known."""
        facts = self.facts
        return Exit(
            key=facts["key"],
            container_id=facts["container"],
            exec_id=facts["exec"],
            code=facts["code"],
            finished_ns=facts["finished_ns"],
            oom=facts["oom"],
            reason=facts.get("reason") or "",
        )

    def drop(self, name: str) -> None:
        """Lets go of one descriptor."""
        descriptor = self.descriptors.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)

    def drop_all(self) -> None:
        """Lets go of every descriptor."""
        for name in list(self.descriptors):
            self.drop(name)


@dataclass(slots=True)
class HeldClient:
    """One client's socket, how it is attached, and the process id of the keeper that has it too."""

    wishes: Message
    descriptor: int
    keeper: int

    def close(self) -> None:
        """Lets go of the socket; the keeper has ended the connection."""
        os.close(self.descriptor)

    def end(self) -> None:
        """Ends the connection, for no keeper serves it any more."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.descriptor)) as connection:
            connection.shutdown(socket.SHUT_RDWR)
        self.close()


@dataclass(slots=True)
class Holdings:
    """All processes and clients, and the keeper's journal."""

    processes: dict[str, Held] = field(default_factory=dict)
    clients: dict[int, HeldClient] = field(default_factory=dict)
    parked: dict[int, HeldClient] = field(default_factory=dict)
    journal: int = -1

    def replace_journal(self, descriptor: int) -> None:
        """Holds another journal from now on."""
        if self.journal >= 0:
            os.close(self.journal)
        self.journal = descriptor

    def close(self) -> None:
        """Lets go of everything; the keeper has its own."""
        for held in self.processes.values():
            held.drop_all()
        for client in (*self.clients.values(), *self.parked.values()):
            client.close()
        self.parked.clear()
        self.processes.clear()
        self.clients.clear()
        self.replace_journal(-1)
