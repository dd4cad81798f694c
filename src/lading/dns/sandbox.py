"""One container's resolver: its two sockets, what is said there, and what is asked elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from lading.dns import message
from lading.dns.forward import Forward, Server
from lading.dns.loop import READ, Loop
from lading.dns.namespace import Namespace, listen
from lading.dns.stream import Stream
from lading.dns.zones import Zones, rotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.dns.zones import Facts

MOST_FORWARDS = 1024
"""Queries of one container that are under way; docker's figure. More are refused."""
MOST_TOGETHER = 8192
"""The same of all containers, for each takes a descriptor."""
MOST_STREAMS = 64
_AT_ONCE = 64
"""Datagrams taken from one container before others get their turn."""
_LONGEST_QUERY = 4096
_MOST_KNOWN = 128 * 1024
"""Bytes of answers kept for one container, which may ask for one name in many spellings."""


class Sandbox:
    """Answers one container.

    `facts`: "netns", "servers" (pairs of an address, and whether it is asked from the
    host's namespace), "external" (whether the container can be outside at all), and what
    zones.Asker needs.
    """

    _together = 0

    def __init__(self, loop: Loop, identifier: str, facts: Facts, zones: Zones, home: int) -> None:
        """Raises OSError where its namespace is gone."""
        self._loop = loop
        self._id = identifier
        self._zones = zones
        self._known: dict[bytes, list[bytes]] = {}
        self._known_size = 0
        self._servers: list[Server] = []
        self._forwards: set[Forward] = set()
        self._streams: dict[Stream, None] = {}
        self.namespace = Namespace(facts["netns"], home)
        try:
            self._datagrams, self._connections = self.namespace.inside(listen)
        except OSError:
            self.namespace.close()
            raise
        self.change(facts)
        loop.watch(self._datagrams.fileno(), READ, self._ready)
        loop.watch(self._connections.fileno(), READ, self._called)

    def change(self, facts: Facts) -> None:
        """Takes on what the daemon says of its servers now."""
        servers = [Server(*server) for server in facts.get("servers", ())]
        if not facts.get("external", True):
            # Who cannot go out is not to ask out by way of the host.
            servers = [server for server in servers if not server.from_host]
        self._servers = servers

    def forget(self) -> None:
        """Names have changed: what was answered before may be wrong."""
        self._known.clear()
        self._known_size = 0

    def close(self) -> None:
        """Stops answering; afterwards the namespace may end."""
        for descriptor in (self._datagrams, self._connections):
            self._loop.unwatch(descriptor.fileno())
            descriptor.close()
        for stream in list(self._streams):
            stream.close()
        for forward in list(self._forwards):
            forward.abandon()
        Sandbox._together -= len(self._forwards)
        self._forwards.clear()
        self.namespace.close()

    def _ready(self, _: int) -> None:
        receive, send, known = self._datagrams.recvfrom, self._datagrams.sendto, self._known
        for _ in range(_AT_ONCE):
            try:
                packet, client = receive(_LONGEST_QUERY)
                answers = known.get(packet[2:])
                if answers is not None:
                    answer = answers[0]
                    if len(answers) > 1:
                        answers.append(answers.pop(0))
                    send(packet[:2] + answer, client)
                    continue
            except OSError:
                # Nothing more is there, or the client does not wait for the answer.
                return
            self._ask(packet, self._reply_to(client), stream=False)

    def _reply_to(self, client: tuple[str, int]) -> Callable[[bytes], None]:
        def reply(answer: bytes) -> None:
            if answer and self._datagrams.fileno() >= 0:
                try:
                    self._datagrams.sendto(answer, client)
                except OSError:
                    pass

        return reply

    def _called(self, _: int) -> None:
        try:
            connection, _address = self._connections.accept()
        except OSError:
            return
        if len(self._streams) >= MOST_STREAMS:
            next(iter(self._streams)).close()
        stream = Stream(self._loop, connection, self._ask_stream, self._stream_gone)
        self._streams[stream] = None

    def _stream_gone(self, stream: Stream) -> None:
        self._streams.pop(stream, None)

    def _ask_stream(self, packet: bytes, reply: Callable[[bytes], None]) -> None:
        self._ask(packet, reply, stream=True)

    def _ask(self, packet: bytes, reply: Callable[[bytes], None], *, stream: bool) -> None:
        """Replies once: with nothing where there is to be no answer."""
        try:
            query = message.parse(packet)
        except message.Ignored:
            reply(b"")
            return
        except message.Refusal as refusal:
            reply(refusal.answer)
            return
        records = self._zones.decide(self._id, query)
        if records is None:
            self._pass_on(packet, query, reply, stream=stream)
            return
        limit = message.LARGEST if stream else query.limit
        answers = [message.answer(query, turn, limit=limit) for turn in rotations(records)]
        reply(answers[0])
        if not stream:
            self._remember(packet, answers)

    def _remember(self, packet: bytes, answers: list[bytes]) -> None:
        bodies = [answer[2:] for answer in answers]
        size = len(packet) + sum(map(len, bodies))
        if self._known_size + size > _MOST_KNOWN:
            self.forget()
        self._known_size += size
        self._known[packet[2:]] = bodies[1:] + bodies[:1]

    def _pass_on(
        self, packet: bytes, query: message.Query, reply: Callable[[bytes], None], *, stream: bool
    ) -> None:
        if len(self._forwards) >= MOST_FORWARDS or Sandbox._together >= MOST_TOGETHER:
            reply(message.answer(query, (), message.REFUSED))
            return

        def done(answer: bytes | None) -> None:
            self._forwards.discard(forward)
            Sandbox._together -= 1
            reply(message.answer(query, (), message.SERVFAIL) if answer is None else answer)

        forward = Forward(self._loop, self.namespace, self._servers, packet, query, done, stream=stream)
        self._forwards.add(forward)
        Sandbox._together += 1
        forward.start()
