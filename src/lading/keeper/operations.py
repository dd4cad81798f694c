"""What a daemon can ask the keeper: each request decoded, done and answered."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

from lading.keeper.connection import Connection
from lading.keeper.keeper import Keeper, Refused
from lading.keeper.loop import Loop, say
from lading.keeper.parking import Parking
from lading.keeper.wire import Message

# One packet carries 250 descriptors; clients beyond that are lost if the keeper dies.
_CLIENTS = 200
_AGAIN = 0.01


class Request:
    """One request. Descriptors that nobody took are closed when it has been handled."""

    def __init__(self, connection: Connection, message: Message, descriptors: list[int]) -> None:
        self.connection = connection
        self.message = message
        self.descriptors = descriptors

    def reply(self, result: Message | None, named: Mapping[str, int] | None = None) -> None:
        """Answers; may come later than the request was handled."""
        self.connection.send({"n": self.message.get("n"), "ok": result or {}}, named)

    def refuse(self, error: Refused) -> None:
        """Answers that it cannot be."""
        answer = {"n": self.message.get("n"), "error": str(error), "kind": error.kind, "code": error.code}
        self.connection.send(answer)


class Operations:
    """The requests by the name of their operation."""

    def __init__(
        self,
        loop: Loop,
        keeper: Keeper,
        parking: Parking,
        upgrade: Callable[[Connection, int], None],
    ) -> None:
        self._loop = loop
        self._keeper = keeper
        self._parking = parking
        self._simple: dict[str, Callable[[Message], Message | None]] = {
            "ping": lambda _: None,
            "unpark": lambda m: parking.unpark(m["number"]),
            "resize": lambda m: keeper.resize(m["key"], m["height"], m["width"]),
            "signal": lambda m: keeper.signal(m["key"], m["signal"]),
            "close_stdin": lambda m: keeper.process(m["key"]).close_input(),
            "forget": lambda m: keeper.forget(m["key"]),
            "exited": lambda m: keeper.tell_exit(m["key"], m["code"]),
        }
        self._others: dict[str, Callable[[Request], None]] = {
            "hello": self._hello,
            "launch": lambda r: keeper.launch(r.message, r.reply, r.refuse),
            "attach": self._attach,
            "handles": self._handles,
            "adopt": self._adopt,
            "journal": lambda r: r.reply({}, {"journal": keeper.journal.file}),
            "take_journal": lambda r: r.reply(keeper.take_journal(r.descriptors.pop(0))),
            "park": self._park,
            "parked": self._parked,
            "upgrade": lambda r: upgrade(r.connection, r.message["n"]),
        }

    def handle(self, connection: Connection, message: Message, descriptors: list[int]) -> None:
        """Does what is asked and answers."""
        request = Request(connection, message, descriptors)
        try:
            self._do(request)
        except Refused as error:
            request.refuse(error)
        except OSError as error:
            request.refuse(Refused("failed", error.strerror or str(error)))
        except (LookupError, TypeError, ValueError) as error:
            say(f"bad request {message.get('op')!r}: {error!r}")
            request.refuse(Refused("failed", f"bad request: {error!r}"))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _do(self, request: Request) -> None:
        operation = request.message["op"]
        if operation in self._simple:
            request.reply(self._simple[operation](request.message))
        elif operation in self._others:
            self._others[operation](request)
        else:
            raise Refused("failed", f"unknown operation {operation!r}")

    def _hello(self, request: Request) -> None:
        """Answers once nothing is being launched: what another daemon began belongs to the answer."""
        if self._keeper.launching:
            self._loop.after(_AGAIN, lambda: self._hello(request))
        else:
            request.reply(self._keeper.about())

    def _attach(self, request: Request) -> None:
        client = socket.socket(fileno=request.descriptors.pop(0))
        try:
            number = self._keeper.attach(request.message["wishes"], client)
        except BaseException:
            client.close()
            raise
        request.reply({"client": number})

    def _handles(self, request: Request) -> None:
        """A process's facts and descriptors, its clients among them, for the daemon to hold."""
        process = self._keeper.process(request.message["key"])
        named = dict(process.descriptors())
        clients = process.clients[:_CLIENTS]
        named.update((f"client-{client.wishes['id']}", client.connection.fileno()) for client in clients)
        request.reply({"facts": process.facts, "clients": [client.wishes for client in clients]}, named)

    def _adopt(self, request: Request) -> None:
        held = dict(zip(request.message.get("fds", ()), request.descriptors, strict=True))
        request.descriptors.clear()
        process = self._keeper.adopt(request.message["facts"], held)
        request.reply(dict(process.facts))

    def _park(self, request: Request) -> None:
        message = request.message
        number = self._parking.park(message["about"], request.descriptors[0], message.get("number"))
        request.reply({"number": number})

    def _parked(self, request: Request) -> None:
        abouts, connections = self._parking.all()
        request.reply({"abouts": abouts}, connections)
