"""All the keeper holds, and what the daemon can ask of it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping

from lading.keeper import oom, record
from lading.keeper.build import build
from lading.keeper.children import UNKNOWN, Children, Foreigner
from lading.keeper.client import Client
from lading.keeper.journal import Journal
from lading.keeper.launch import Launch
from lading.keeper.log import Log
from lading.keeper.loop import Loop, say, survive
from lading.keeper.process import Process
from lading.keeper.wire import Message

_GZIP = "gzip"
_RETRY = 2.0
# What docker shows for a process whose end nobody saw.
_LOST = 255
# Of the files this process began with, whatever they are by now.
_BUILD = build()
_UNSEEN = "the process ended unobserved: its keeper had died and nobody else could learn the exit code"


class Refused(Exception):
    """A request that cannot be met; `kind` is "not-found", "conflict", "failed" or "runtime"."""

    def __init__(self, kind: str, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.kind = kind
        self.code = code


Reply = Callable[[Message | None, Mapping[str, int] | None], None]
"""reply(result, named descriptors)"""
Refuse = Callable[[Refused], None]


class Keeper:
    """The processes, by key; `announce` sends news to every daemon connected."""

    def __init__(self, loop: Loop, announce: Callable[[Message], None]) -> None:
        self.loop = loop
        self.children = Children(loop)
        self.journal = Journal()
        self.processes: dict[str, Process] = {}
        self.launching: dict[str, Launch] = {}
        self.clients: dict[int, Client] = {}
        self.compressing = 0
        self._foreign: dict[str, Foreigner] = {}
        self._announce = announce
        self.last_client = 0

    @property
    def idle(self) -> bool:
        """Whether nobody would miss it."""
        return not (self.processes or self.launching or self.clients or self.compressing)

    # Beginning

    def launch(self, order: Message, reply: Reply, refuse: Refuse) -> None:
        """Starts a process by the OCI runtime; answers when the runtime has ended.

        Where that fails, clients wait on: the daemon may have something to tell them before `forget`.
        """
        facts = dict(order["facts"])
        key = str(facts["key"])
        if key in self.processes or key in self.launching:
            raise Refused("conflict", f"{key} is held already")

        def launched(pid: int, started_ns: int, held: dict[str, int]) -> None:
            del self.launching[key]
            self._started(facts, pid, started_ns, held, reply)

        def failed(text: str, code: int) -> None:
            del self.launching[key]
            refuse(Refused("runtime", text, code))

        record.remove(facts["record"])
        launch = self.launching[key] = Launch(self.loop, self.children, facts, order, launched, failed)
        try:
            launch.begin()
        except OSError as error:
            del self.launching[key]
            raise Refused("runtime", f"{order['argv'][0]}: {error.strerror}", 127) from error

    def _started(self, facts: Message, pid: int, started_ns: int, held: dict[str, int], reply: Reply) -> None:
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            pidfd = -1
        oom_file = oom.events_file(pid) if facts["exec"] is None else None
        facts.update(
            pid=pid, started_ns=started_ns, state="running", slots=self._slots(facts), oom_file=oom_file
        )
        process = self.hold(facts, pidfd, held)
        reply(dict(facts), process.descriptors())
        for client in self._waiting(process.key):
            process.join(client)
        process.begin()
        self.follow(process)

    def _slots(self, facts: Message) -> tuple[int, int] | None:
        if not facts["sink"].get("path"):
            return None
        try:
            return self.journal.claim(), self.journal.claim()
        except OSError as error:
            say(f"the journal: {error.strerror}: {facts['key']} runs without a log")
            return None

    def hold(self, facts: Message, pidfd: int, held: dict[str, int]) -> Process:
        """Puts a process into the table and opens its log."""
        log = None
        if facts["slots"] is not None:
            try:
                first, second = facts["slots"]
                log = Log(facts["sink"], (first, second), self.journal, self._compress)
            except OSError as error:
                # Too late to refuse: the container runs. Better without a log than not at all.
                say(f"{facts['sink'].get('path')}: {error.strerror}: {facts['key']} runs without a log")
        process = Process(self.loop, facts, pidfd, held, log, self._announce)
        self.processes[process.key] = process
        return process

    def _compress(self, source: str, target: str, finished: Callable[[bool], None]) -> None:
        def ended(code: int) -> None:
            self.compressing -= 1
            finished(code == 0)

        files: list[int] = []
        try:
            files.append(os.open(source, os.O_RDONLY | os.O_CLOEXEC))
            files.append(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640))
            files.append(os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC))
            self.children.spawn([_GZIP, "-1"], os.environ, files, ended)
            self.compressing += 1
        except OSError as error:
            say(f"{source} stays uncompressed: {error.strerror}")
            finished(False)
        finally:
            for file in files:
                os.close(file)

    # Taking over

    def take_journal(self, file: int) -> Message:
        """Goes on with a dead keeper's journal, before anything is adopted.

        Tells the slot of what is in flight: its process must be adopted first.
        """
        if self.processes or self.launching:
            raise Refused("conflict", "the keeper already holds processes")
        os.close(self.journal.file)
        self.journal = Journal(file)
        flying = self.journal.in_flight
        return {"in_flight": None if flying is None else flying.slot}

    def adopt(self, facts: Message, held: dict[str, int]) -> Process:
        """Takes over a process whose keeper has died."""
        key = str(facts["key"])
        if key in self.processes:
            raise Refused("conflict", f"{key} is held already")
        pidfd = held.pop("pidfd", -1)
        ended = record.read(facts)
        if ended is not None or facts["state"] != "running":
            # All it printed was logged before its end was recorded.
            facts.update(ended or {}, state="exited", slots=None)
        process = self.hold(facts, pidfd, held)
        if facts["state"] != "running":
            process.finish()
            return process
        process.restore_log()
        facts["foreign"] = True
        process.begin()
        self.follow(process)
        return process

    def follow(self, process: Process) -> None:
        """Waits for the end of a process, be it our child or left by another keeper."""

        def ended(code: int) -> None:
            self._ended(process, code)

        if not process.facts.get("foreign"):
            self.children.follow(process.facts["pid"], ended)
        elif process.pidfd < 0:
            ended(UNKNOWN)
        else:
            self._foreign[process.key] = Foreigner(self.loop, process.pidfd, ended)

    def tell_exit(self, key: str, code: int) -> None:
        """The daemon has buried an adopted process."""
        foreign = self._foreign.get(key)
        if foreign is not None:
            foreign.tell(code)

    # Ending

    def _ended(self, process: Process, code: int) -> None:
        self._foreign.pop(process.key, None)
        reason = _UNSEEN if code == UNKNOWN else ""
        process.facts.update(
            state="exited",
            code=_LOST if code == UNKNOWN else code,
            oom=code != 0 and oom.struck(process.facts["oom_file"]),
            finished_ns=time.time_ns(),
            reason=reason,
        )
        # Whatever goes wrong there, the end of a process is told.
        survive(process.finish)
        self._record(process)
        self._announce({"news": "exit", **process.facts})

    def _record(self, process: Process) -> None:
        if self.processes.get(process.key) is not process:
            return
        try:
            record.write(process.facts)
        except OSError as error:
            say(f"{process.facts['record']}: {error.strerror}: the exit of {process.key} is not recorded")
            # A full disk may have room later; a directory that was removed is not missed.
            if error.errno != errno.ENOENT:
                self.loop.after(_RETRY, lambda: self._record(process))

    def forget(self, key: str) -> None:
        """The daemon has dealt with an exit, or wants nobody to wait for a start any more."""
        process = self.processes.get(key)
        if process is not None and process.running:
            raise Refused("conflict", f"{key} is still running")
        if process is not None:
            del self.processes[key]
            record.remove(process.facts["record"])
        self._release(key)

    def _release(self, key: str) -> None:
        for client in self._waiting(key):
            client.end()

    def _waiting(self, key: str) -> list[Client]:
        return [
            client
            for client in self.clients.values()
            if client.process is None and client.wishes["key"] == key
        ]

    # Using

    def process(self, key: str) -> Process:
        """Raises Refused where it is not held."""
        try:
            return self.processes[key]
        except KeyError:
            raise Refused("not-found", f"{key} is not running") from None

    def attach(self, wishes: Message, connection: socket.socket) -> int:
        """Attaches a client now, or as soon as its process is launched; the client's number."""
        key = str(wishes["key"])
        process = self.processes.get(key)
        if process is not None and not process.running:
            raise Refused("conflict", f"{key} has ended")
        self.last_client += 1
        self.connect(Client(self.loop, connection, {**wishes, "id": self.last_client}, self.client_gone))
        return self.last_client

    def connect(self, client: Client) -> None:
        """Joins a client and its process, if that is there."""
        self.clients[client.wishes["id"]] = client
        process = self.processes.get(client.wishes["key"])
        if process is not None:
            process.join(client)

    def client_gone(self, client: Client) -> None:
        """A client's connection has ended."""
        number = client.wishes["id"]
        self.clients.pop(number, None)
        if client.process is not None:
            client.process.left(client)
        self._announce({"news": "gone", "key": client.wishes["key"], "client": number})

    def resize(self, key: str, height: int, width: int) -> None:
        """Sets the size of a process's terminal."""
        process = self.process(key)
        if not process.running:
            raise Refused("conflict", f"{key} has ended")
        process.resize(height, width)

    def signal(self, key: str, number: int) -> None:
        """Signals a process that has not ended."""
        process = self.process(key)
        if not process.running or process.pidfd < 0:
            raise Refused("conflict", f"{key} has ended")
        try:
            signal.pidfd_send_signal(process.pidfd, number)
        except ProcessLookupError as error:
            raise Refused("conflict", f"{key} has ended") from error

    def about(self) -> Message:
        """What a daemon asks first."""
        return {"build": _BUILD, "pid": os.getpid(), "keys": list(self.processes)}
