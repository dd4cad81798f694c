"""The room's front door: starting processes, using them, and the news of their end."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from lading.aio import process, tasks
from lading.errors import Conflict, InvalidParameter
from lading.keeper import Message
from lading.linux import families
from lading.paths import Layout
from lading.runtime.bond import Bond
from lading.runtime.detach_keys import detach_sequence
from lading.runtime.errors import LaunchError, LaunchInterrupted, exec_error, launch_error
from lading.runtime.foresight import Foresight
from lading.runtime.holdings import Held, HeldClient
from lading.runtime.leftovers import remove_files
from lading.runtime.link import LinkLost, RuntimeFailed
from lading.runtime.oci import OciRuntime, OciRuntimes
from lading.runtime.strays import end_strays
from lading.runtime.words import Attach, Detached, Exec, Exit, Launch, Process, Started

News = Exit | Detached


class Runtime:
    """All processes of containers, by way of the keeper and the OCI runtime.

    `added` and `default` are the daemon's settings: more runtimes, and the one
    for containers that name none.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        added: Mapping[str, Mapping[str, Any]] | None = None,
        default: str = "",
    ) -> None:
        self._layout = layout
        self._runtimes = OciRuntimes(added or {}, layout.runtime_state)
        self._wanted = default
        self._foresight = Foresight()
        self._begun = tasks.Background()
        self._listeners: list[Callable[[News], None]] = []
        self._bond = Bond(layout.keeper_socket, layout.keeper_log, self._has_ended, self._was_detached)

    async def start(self) -> None:
        """Finds or spawns the keeper and learns what it holds: see `running` and `recorded`.

        Raises Unsupported where no OCI runtime can run here, InternalError
        where no keeper comes up.
        """
        self._runtimes.choose(self._wanted)
        await self._runtimes.learn_version()
        self._runtimes.protect(self._layout.programs)
        await self._bond.open()

    async def close(self) -> None:
        """Lets go of the keeper and leaves it, and the containers, to themselves."""
        await self._bond.close()
        self._foresight.close()
        self._runtimes.unprotect(self._layout.programs)

    def on_news(self, listener: Callable[[News], None]) -> None:
        """Calls `listener` for each exit and detachment from now on.

        An exit may be told before the `launch` it belongs to has returned.
        """
        self._listeners.append(listener)

    def running(self) -> dict[str, Process]:
        """What runs, by key."""
        return {key: held.process() for key, held in self._held() if held.running}

    def recorded(self) -> dict[str, Exit]:
        """What has ended and was not forgotten, by key."""
        return {key: held.exit() for key, held in self._held() if not held.running}

    def _held(self) -> list[tuple[str, Held]]:
        return list(self._bond.holdings.processes.items())

    def check_runtime(self, name: str) -> None:
        """Raises InvalidParameter where there is no such OCI runtime; empty is the default one."""
        self._runtimes.find(name)

    def runtimes(self) -> dict[str, OciRuntime]:
        """What can be named, for `GET /info`."""
        return self._runtimes.all()

    @property
    def default_runtime(self) -> str:
        """The OCI runtime of containers that name none."""
        return self._runtimes.default

    def expect(self) -> None:
        """A `launch` or an `execute` will come soon: gets ready for it. Returns at once."""
        self._foresight.expect()

    async def launch(self, order: Launch) -> Started:
        """Starts a container. Raises LaunchError.

        Should the keeper die in the midst, what it began is deleted and the
        container started anew. A caller that is cancelled stops nothing.
        """
        return await self._begun.finish(self._launch(order), "launch")

    async def _launch(self, order: Launch) -> Started:
        oci = self._runtimes.find(order.runtime)
        with _Files(f"{self._layout.bundles}/{order.key}", "init") as files:
            argv = [*oci.command(files.log), "run", "--detach", "--pid-file", files.pid]
            argv += ["--bundle", order.bundle, *_console(order), order.key]
            facts = _facts(order.key, order.key, None, order, order.sink, order.stdin_once, order.record_path)
            try:
                try:
                    return await self._begin(facts, argv, files, order.console_size)
                except LinkLost:
                    await end_strays(files.pid)
                    await self._delete(oci, order.key)
                    files.remove()
                    return await self._begin(facts, argv, files, order.console_size)
            except RuntimeFailed as error:
                await self._delete(oci, order.key)
                raise launch_error(error.message, order.argv0, oci.name) from None
            except LinkLost as error:
                raise LaunchError(f"the keeper died while it started the container: {error}") from None

    async def execute(self, order: Exec) -> Started:
        """Starts another process in a running container. Raises LaunchError.

        A caller that is cancelled stops nothing.
        """
        return await self._begun.finish(self._execute(order), "execute")

    async def _execute(self, order: Exec) -> Started:
        oci = self._runtimes.find(order.runtime)
        work = f"{self._layout.bundles}/{order.container_id}"
        with _Files(work, order.key) as files:
            with open(files.process, "w", encoding="utf-8") as file:
                json.dump(_process(order), file)
            argv = [*oci.command(files.log), "exec", "--detach", "--pid-file", files.pid]
            argv += ["--process", files.process, *_console(order), order.container_id]
            record = f"{work}/{order.key}.exit"
            facts = _facts(order.key, order.container_id, order.key, order, {"driver": "none"}, True, record)
            try:
                return await self._begin(facts, argv, files, order.console_size)
            except RuntimeFailed as error:
                words = order.process.get("args") or [""]
                raise exec_error(error.message, words[0], oci.name) from None
            except LinkLost as error:
                # Not begun anew: the command may have done something already.
                await end_strays(files.pid)
                raise LaunchInterrupted(f"the keeper died while it started the command: {error}") from None

    async def _begin(
        self, facts: Message, argv: list[str], files: "_Files", size: Sequence[int] | None
    ) -> Started:
        facts, descriptors = await self._bond.ask(
            "launch",
            facts=facts,
            argv=argv,
            env=_environment(),
            pid_file=files.pid,
            log=files.log,
            console_size=list(size) if size else None,
        )
        self._bond.hold(facts, descriptors)
        self._foresight.moved()
        return Started(facts["pid"], facts["started_ns"])

    async def attach(self, key: str, connection: socket.socket, wishes: Attach) -> None:
        """Hands a client's socket to the keeper; the caller closes his own.

        Before `launch` the client waits and misses nothing. Raises Conflict
        where the process has ended, InvalidParameter for bad detach keys.
        """
        about: Message = {
            "key": key,
            "stdin": wishes.stdin,
            "stdout": wishes.stdout,
            "stderr": wishes.stderr,
            "framed": wishes.framed,
            "detach_keys": detach_sequence(wishes.detach_keys).hex(),
            "early": wishes.early.hex(),
        }
        descriptor = os.dup(connection.fileno())
        try:
            answer, _ = await self._bond.ask("attach", {"client": descriptor}, wishes=about, repeat=True)
        except BaseException:
            os.close(descriptor)
            raise
        if key in self._bond.holdings.processes:
            about["early"] = ""
        self._bond.holdings.clients[answer["client"]] = HeldClient(about, descriptor, self._bond.keeper)

    async def resize(self, key: str, height: int, width: int) -> None:
        """Sets a terminal's size in characters. Raises NotFound, Conflict."""
        if not (0 <= height < 65536 and 0 <= width < 65536):
            raise InvalidParameter(f"a terminal cannot have {height} lines of {width} characters")
        await self._bond.ask("resize", key=key, height=height, width=width, repeat=True)

    async def signal(self, key: str, number: int) -> None:
        """Signals a process. Raises NotFound where it never ran, Conflict where it has ended."""
        await self._bond.ask("signal", key=key, signal=number, repeat=True)

    async def kill_family(self, key: str) -> None:
        """Kills a process and whatever it has started; it may have ended."""
        held = self._bond.holdings.processes.get(key)
        if held is None or not held.running or "pidfd" not in held.descriptors:
            return
        pidfd = os.dup(held.descriptors["pidfd"])
        try:
            await tasks.in_thread(families.kill, held.facts["pid"], pidfd)
        finally:
            os.close(pidfd)

    async def close_stdin(self, key: str) -> None:
        """Ends a process's standard input."""
        await self._bond.ask("close_stdin", key=key, repeat=True)

    async def park(self, about: Mapping[str, Any], connection: socket.socket) -> int:
        """Has the keeper hold a connection for a later life of this daemon; the number to `unpark` it by.

        Since the keeper holds it too, only a shutdown ends it.
        """
        named = {"connection": connection.fileno()}
        answer, _ = await self._bond.ask("park", named, about=dict(about), repeat=True)
        number = int(answer["number"])
        if number:
            duplicate = os.dup(connection.fileno())
            self._bond.holdings.parked[number] = HeldClient(dict(about), duplicate, self._bond.keeper)
        return number

    async def unpark(self, number: int) -> None:
        """The connection was answered."""
        parked = self._bond.holdings.parked.pop(number, None)
        if parked is not None:
            parked.close()
        await self._bond.ask("unpark", number=number, repeat=True)

    async def parked(self) -> list[tuple[int, Message, socket.socket]]:
        """What an earlier life of this daemon had parked; the sockets are the caller's to close."""
        answer, connections = await self._bond.ask("parked", repeat=True)
        for number, descriptor in connections.items():
            held = HeldClient(answer["abouts"][number], os.dup(descriptor), self._bond.keeper)
            self._bond.holdings.parked[int(number)] = held
        return [
            (int(number), answer["abouts"][number], socket.socket(fileno=descriptor))
            for number, descriptor in connections.items()
        ]

    async def catch_up(self) -> None:
        """Returns once all news the keeper had told before this call has been heard."""
        await self._bond.ask("ping", repeat=True)

    async def forget(self, key: str) -> None:
        """An exit was dealt with: its record may go. Also ends clients that wait for a start.

        Raises Conflict where the process runs.
        """
        held = self._bond.holdings.processes.get(key)
        if held is not None and held.running:
            raise Conflict(f"{key} is still running")
        await self._bond.forget(key)

    async def delete(self, container_id: str, runtime: str = "") -> None:
        """Makes the OCI runtime kill and forget a container, and removes its bundle; there may be none."""
        await self._delete(self._runtimes.find(runtime), container_id)
        await tasks.in_thread(shutil.rmtree, f"{self._layout.bundles}/{container_id}", ignore_errors=True)

    async def _delete(self, oci: OciRuntime, container_id: str) -> None:
        if os.path.exists(f"{oci.state}/{container_id}"):
            await process.run([*oci.command(), "delete", "--force", container_id], env=_environment())

    async def sweep(self, live: Collection[str]) -> None:
        """Deletes every OCI container and bundle that is not of a live container."""
        for oci in self._runtimes.all().values():
            for name in _names(oci.state):
                if name not in live:
                    await self._delete(oci, name)
        for name in _names(self._layout.bundles):
            if name not in live:
                await tasks.in_thread(shutil.rmtree, f"{self._layout.bundles}/{name}", ignore_errors=True)
            else:
                remove_files(f"{self._layout.bundles}/{name}", self._bond.holdings.processes)

    def _has_ended(self, held: Held) -> None:
        self._tell(held.exit())

    def _was_detached(self, message: Message) -> None:
        held = self._bond.holdings.processes.get(message["key"])
        if held is not None:
            self._tell(Detached(held.facts["key"], held.facts["container"], held.facts["exec"]))

    def _tell(self, news: News) -> None:
        for listener in self._listeners:
            listener(news)


def _facts(
    key: str,
    container: str,
    exec_id: str | None,
    order: Launch | Exec,
    sink: Mapping[str, Any],
    stdin_once: bool,
    record: str,
) -> Message:
    return {
        "key": key,
        "container": container,
        "exec": exec_id,
        "tty": order.tty,
        "open_stdin": order.open_stdin,
        "stdin_once": stdin_once,
        "sink": dict(sink),
        "record": record,
    }


def _console(order: Launch | Exec) -> list[str]:
    return ["--console-socket", "{console}"] if order.tty else []


def _process(order: Exec) -> dict[str, Any]:
    process = {**order.process, "terminal": order.tty}
    if order.tty and order.console_size:
        # The keeper sets it too, but perhaps only after the command has looked.
        height, width = order.console_size
        process["consoleSize"] = {"height": height, "width": width}
    return process


class _Files:
    """What the OCI runtime reads and writes while it starts one process; removed once it has."""

    def __init__(self, directory: str, name: str) -> None:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.pid = f"{directory}/{name}.pid"
        self.log = f"{directory}/{name}.log"
        self.process = f"{directory}/{name}.json"

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A daemon that stops in the midst leaves the keeper to finish, who needs them.
        if kind is not asyncio.CancelledError:
            self.remove()

    def remove(self) -> None:
        for path in (self.pid, self.log, self.process):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _environment() -> dict[str, str]:
    # No NOTIFY_SOCKET: the OCI runtime would pass it on to the container.
    kept = ("PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
