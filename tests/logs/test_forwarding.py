"""Sending logs on: real sockets, the keeper's own files, servers that go away."""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest
from tests.logs.journal import PRESENT, Journald
from tests.logs.servers import Collector, Server

from lading.errors import LadingError
from lading.keeper.formats import LocalFormat
from lading.keeper.lines import LAST, PART, WHOLE
from lading.keeper.logfile import LogFile
from lading.logs import Forwarding, ForwardRequest, LogFacts, log_path, note_path, open_sink
from lading.logs.forward import forwarder
from lading.logs.servers import journald
from lading.schema.container import LogConfig

CONTAINER = "c0ffee" * 10 + "abcd"


class Container:
    """A container's log, written as the keeper does, and what is known of it."""

    def __init__(self, directory: Path, driver: str, **options: str) -> None:
        named = {key.replace("_", "-"): value for key, value in options.items()}
        self.facts = LogFacts(container_id=CONTAINER, name="web", image_name="shop")
        self.request = ForwardRequest(
            driver=driver,
            options=named,
            facts=self.facts,
            spool=log_path(driver, str(directory), CONTAINER),
            note=note_path(str(directory)),
        )
        sink = open_sink(LogConfig(type=driver, config=named), str(directory), self.facts)
        assert sink["driver"] == "local"
        self._format = LocalFormat()
        self.file = LogFile(sink["path"], sink["max_size"], sink["max_file"], None)
        self.directory = Path(sink["path"]).parent

    def print(self, *lines: str, stream: int = 1) -> None:
        for line in lines:
            self.put(WHOLE, f"{line}\n".encode(), stream)

    def put(self, kind: int, text: bytes, stream: int = 1) -> None:
        if self.file.room <= 0:
            self.file.rotate()
        self.file.append(self._format.format(stream, kind, text, time.time_ns()), 1)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob("container-cached*"))


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(kind: str, path: Path | None = None, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(kind, path, context))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


async def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "what was waited for did not come"
        await asyncio.sleep(0.01)
    return value


def play(scene: Callable[[Forwarding], Awaitable[None]]) -> None:
    """A scene with an engine's forwarders, which are closed behind it."""

    async def whole() -> None:
        forwarding = Forwarding()
        try:
            await scene(forwarding)
        finally:
            await forwarding.close()

    asyncio.run(whole())


def texts(server: Server) -> list[str]:
    return [line.rpartition(": ")[2] for line in server.lines()]


def numbers(start: int, end: int) -> list[str]:
    return [f"line {number}" for number in range(start, end)]


# --- transports


@pytest.mark.parametrize("kind", ["tcp", "udp", "unix", "unixgram"])
def test_syslog_reaches_its_server(tmp_path: Path, listening: Callable[..., Server], kind: str) -> None:
    path = tmp_path / "syslog" if kind.startswith("unix") else None
    server = listening("stream" if kind in ("tcp", "unix") else "datagram", path)
    address = f"{kind}://{path}" if path else f"{kind}://127.0.0.1:{server.port}"
    container = Container(tmp_path, "syslog", syslog_address=address, syslog_format="rfc3164")

    async def scene(forwarding: Forwarding) -> None:
        container.print("before the start")
        await forwarding.begin(container.request)
        container.print("out")
        container.print("err", stream=2)
        await until(lambda: len(server.lines()) == 3)
        assert [line.partition(">")[0] for line in server.lines()] == ["<30", "<30", "<27"]

    play(scene)
    assert texts(server) == ["before the start", "out", "err"]


def test_syslog_over_tls(tmp_path: Path, listening: Callable[..., Server], certificates: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    server = listening("stream", context=context)
    options = {
        "syslog_address": f"tcp+tls://localhost:{server.port}",
        "syslog_format": "rfc5424",
        "syslog_tls_cert": f"{certificates}/client.pem",
        "syslog_tls_key": f"{certificates}/client.key",
    }
    trusting = Container(tmp_path / "1", "syslog", **options, syslog_tls_ca_cert=f"{certificates}/ca.pem")
    strange = Container(
        tmp_path / "2", "syslog", **options, syslog_tls_ca_cert=f"{certificates}/stranger.pem"
    )
    missing = Container(tmp_path / "3", "syslog", **options, syslog_tls_ca_cert="/no/such.pem")

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(trusting.request)
        trusting.print("hidden")
        await until(lambda: server.lines())
        for container, words in ((strange, "certificate"), (missing, "open /no/such.pem: no such file")):
            with pytest.raises(LadingError, match=words):
                await forwarding.begin(container.request)

    play(scene)
    length, _, rest = server.received.partition(b" ")
    assert int(length) == len(rest)
    assert rest.endswith(b" - hidden\n")


def test_fluentd_over_tls_trusts_whom_the_system_trusts(
    tmp_path: Path, listening: Callable[..., Server], certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    server = listening("stream", context=context)
    container = Container(tmp_path, "fluentd", fluentd_address=f"tls://localhost:{server.port}")

    async def scene(forwarding: Forwarding) -> None:
        with pytest.raises(LadingError, match="failed to verify certificate"):
            await forwarding.begin(container.request)
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificates}/ca.pem")
        await forwarding.begin(container.request)
        container.print("hidden")
        await until(lambda: server.messages())

    play(scene)


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_fluentd_reaches_its_server(tmp_path: Path, listening: Callable[..., Server], where: str) -> None:
    path = tmp_path / "fluentd" if where == "unix" else None
    server = listening("stream", path)
    address = f"unix://{path}" if path else f"127.0.0.1:{server.port}"
    container = Container(tmp_path, "fluentd", fluentd_address=address, tag="t")

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("one")
        container.put(PART, b"begin ")
        container.put(LAST, b"end")
        await until(lambda: len(server.messages()) == 3)

    play(scene)
    one, begin, end = [message[2] for message in server.messages()]
    assert (one["log"], one["container_id"], one["container_name"]) == ("one", CONTAINER, "/web")
    assert "partial_id" not in one
    assert begin["partial_id"] == end["partial_id"]
    assert [(part["log"], part["partial_ordinal"], part["partial_last"]) for part in (begin, end)] == [
        ("begin ", "1", "false"),
        ("end", "2", "true"),
    ]


def test_what_fluentd_does_not_acknowledge_is_sent_again(
    tmp_path: Path, listening: Callable[..., Server]
) -> None:
    server = listening("stream")
    options = {"fluentd_address": f"127.0.0.1:{server.port}", "fluentd_request_ack": "true"}
    container = Container(tmp_path, "fluentd", **options)
    server.acknowledge = lambda data: msgpack.packb({"ack": "x" * 24})

    def logs() -> list[str]:
        return [event["log"] for message in server.messages() for _, event in message[1]]

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("first")
        await until(lambda: len(logs()) > 1)
        server.acknowledge = lambda data: msgpack.packb({"ack": msgpack.unpackb(data)[2]["chunk"]})
        before = len(logs())
        await until(lambda: len(logs()) > before)
        container.print("second")
        await until(lambda: logs()[-1] == "second")
        assert logs()[-2] == "first"

    play(scene)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_gelf_reaches_its_server(tmp_path: Path, listening: Callable[..., Server], kind: str) -> None:
    server = listening("stream" if kind == "tcp" else "datagram")
    options = {"gelf_compression_type": "none"} if kind == "udp" else {}
    container = Container(tmp_path, "gelf", gelf_address=f"{kind}://127.0.0.1:{server.port}", **options)

    def messages() -> list[Any]:
        pieces = server.datagrams if kind == "udp" else server.received.split(b"\0")[:-1]
        whole = [piece for piece in pieces if not piece.startswith(b"\x1e\x0f")]
        chunks = [piece for piece in pieces if piece.startswith(b"\x1e\x0f")]
        if chunks and len(chunks) == chunks[0][11]:
            whole.append(b"".join(piece[12:] for piece in sorted(chunks, key=lambda piece: piece[10])))
        return [json.loads(piece) for piece in whole]

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("short", "long " * 2000)
        await until(lambda: len(messages()) == 2)

    play(scene)
    assert [message["short_message"] for message in messages()] == ["short", "long " * 2000]


def test_the_journal_takes_long_entries_as_files(
    tmp_path: Path, listening: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = listening("datagram", tmp_path / "journal")
    monkeypatch.setattr(journald, "SOCKET", str(tmp_path / "journal"))
    container = Container(tmp_path, "journald")
    # The keeper's lines are never longer than a datagram, but labels can be.
    label = "x" * 500_000
    facts = LogFacts(container_id=CONTAINER, name="web", labels={"long": label})
    request = msgspec.structs.replace(container.request, facts=facts, options={"labels": "long"})

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(request)
        container.print("hello")
        await until(lambda: server.datagrams)

    play(scene)
    assert b"\nMESSAGE=hello\n" in server.datagrams[0]
    assert f"\nLONG={label}\n".encode() in server.datagrams[0]


@pytest.mark.skipif(not PRESENT, reason="there is no systemd-journald")
def test_a_real_journal_keeps_every_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Journald(tmp_path)
    monkeypatch.setattr(journald, "SOCKET", server.socket)
    container = Container(tmp_path, "journald", labels="poem,long", tag="{{.Name}}/x")
    facts = LogFacts(container_id=CONTAINER, name="web", labels={"poem": "a\nb", "long": "x" * 500_000})
    request = msgspec.structs.replace(container.request, facts=facts)

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(request)
        container.print("out")
        container.print("err", stream=2)
        container.put(PART, b"half ")
        container.put(LAST, b"whole")
        await until(lambda: len(server.entries()) == 4)

    try:
        play(scene)
        out, err, half, _ = server.entries()
    finally:
        server.stop()
    assert [(entry["MESSAGE"], entry["PRIORITY"]) for entry in (out, err)] == [("out", "6"), ("err", "3")]
    assert (out["CONTAINER_ID_FULL"], out["CONTAINER_NAME"]) == (CONTAINER, "web")
    assert (out["SYSLOG_IDENTIFIER"], out["POEM"], len(out["LONG"])) == ("web/x", "a\nb", 500_000)
    assert (half["CONTAINER_PARTIAL_MESSAGE"], half["CONTAINER_PARTIAL_ORDINAL"]) == ("true", "1")


def test_splunk_is_asked_first_and_then_told(tmp_path: Path) -> None:
    collector = Collector()
    container = Container(tmp_path, "splunk", splunk_url=collector.url, splunk_token="secret")

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("one", "two")
        await until(lambda: len(collector.events) == 2)
        collector.status = 503
        container.print("three")
        await until(lambda: len(collector.requests) >= 4)
        collector.status = 200
        await until(lambda: len(collector.events) == 3)

    play(scene)
    assert [event["event"]["line"] for event in collector.events] == ["one", "two", "three"]
    assert [request[0] for request in collector.requests[:2]] == ["OPTIONS", "POST"]
    assert collector.requests[1][2]["Authorization"] == "Splunk secret"
    assert {path for _, path, _ in collector.requests} == {"/services/collector/event/1.0"}
    collector.stop()


# --- servers that are not there


@pytest.mark.parametrize(
    ("driver", "options", "words"),
    [
        ("syslog", {"syslog-address": "tcp://{}"}, "dial tcp {}: connect: connection refused"),
        ("fluentd", {"fluentd-address": "{}"}, "dial tcp {}: connect: connection refused"),
        (
            "fluentd",
            {"fluentd-address": "unix:///no/such"},
            "dial unix /no/such: connect: no such file or directory",
        ),
        (
            "gelf",
            {"gelf-address": "tcp://{}"},
            "gelf: cannot connect to GELF endpoint: {} dial tcp {}: connect: connection refused",
        ),
        ("journald", {}, "journald is not enabled on this host"),
        (
            "splunk",
            {"splunk-url": "http://{}", "splunk-token": "t"},
            'Options "http://{}/services/collector/event/1.0": dial tcp {}: connect: connection refused',
        ),
    ],
)
def test_a_container_does_not_start_without_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str, options: dict[str, str], words: str
) -> None:
    gone = Server("stream")
    gone.stop()
    monkeypatch.setattr(journald, "SOCKET", str(tmp_path / "none"))
    where = f"127.0.0.1:{gone.port}"
    filled = {key.replace("-", "_"): value.replace("{}", where) for key, value in options.items()}
    container = Container(tmp_path, driver, **filled)

    async def scene(forwarding: Forwarding) -> None:
        with pytest.raises(LadingError) as caught:
            await forwarding.begin(container.request)
        prefix = "failed to create task for container: failed to initialize logging driver: "
        assert caught.value.message == prefix + words.replace("{}", where)
        assert caught.value.status == 500

    play(scene)


def test_asynchronous_fluentd_may_come_later(tmp_path: Path, listening: Callable[..., Server]) -> None:
    server = listening("stream")
    server.stop()
    options = {"fluentd_address": f"127.0.0.1:{server.port}", "fluentd_async": "true"}
    container = Container(tmp_path, "fluentd", **options)

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("early")
        await asyncio.sleep(0.3)
        server.start()
        await until(lambda: server.messages())

    play(scene)
    assert server.messages()[0][2]["log"] == "early"


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_nothing_is_lost_while_the_server_is_away(
    tmp_path: Path, listening: Callable[..., Server], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = listening("stream" if kind == "tcp" else "datagram")
    container = Container(tmp_path, "syslog", syslog_address=f"{kind}://127.0.0.1:{server.port}")
    caplog.set_level(logging.INFO)

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print(*numbers(0, 50))
        await until(lambda: len(texts(server)) == 50)
        await asyncio.sleep(forwarder.LINGER * 1.2)
        server.stop()
        for number in range(50, 100):
            container.print(f"line {number}")
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        server.start()
        await until(lambda: texts(server) and set(numbers(0, 100)) <= set(texts(server)))
        # What was sent into the silence is sent again; not what had long arrived.
        assert texts(server)[:50] == numbers(0, 50)
        assert not set(numbers(0, 50)) & set(texts(server)[50:])
        await until(lambda: "is being sent again" in caplog.text)

    play(scene)
    assert caplog.text.count("waits on the disk") == 1


def test_what_is_unsent_survives_rotation_and_what_is_sent_goes(
    tmp_path: Path, listening: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarder, "LINGER", 0.05)
    server = listening("stream")
    container = Container(tmp_path, "syslog", syslog_address=f"tcp://127.0.0.1:{server.port}")
    container.file.capacity = 2000
    assert container.file.count > 1000

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        server.stop()
        container.print(*numbers(0, 1000))
        kept = len(container.files())
        assert kept > 10
        server.start()
        await until(lambda: set(texts(server)) >= set(numbers(0, 1000)))
        for number in range(1000, 1200):
            container.print(f"line {number}")
            await asyncio.sleep(0.001)
        await until(lambda: len(container.files()) <= 6)
        await until(lambda: set(texts(server)) >= set(numbers(0, 1200)))
        assert [line for line in texts(server) if line in numbers(1000, 1200)] == numbers(1000, 1200)

    play(scene)


def test_a_limit_the_user_set_holds_though_something_is_unsent(
    tmp_path: Path, listening: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = listening("stream")
    options = {"cache_max_size": "2k", "cache_max_file": "3"}
    container = Container(tmp_path, "syslog", syslog_address=f"tcp://127.0.0.1:{server.port}", **options)

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("line 0")
        await until(lambda: texts(server) == ["line 0"])
        await asyncio.sleep(forwarder.LINGER * 1.2)
        server.stop()
        container.print(*numbers(1, 1000))
        assert len(container.files()) == 3
        server.start()
        await until(lambda: texts(server)[-1:] == ["line 999"])

    play(scene)
    got = [int(text.removeprefix("line ")) for text in texts(server)]
    assert 50 < len(got) < 900
    assert got == sorted(set(got))
    assert caplog.text.count("was dropped") == 1


def test_non_blocking_drops_the_oldest_beyond_its_buffer(
    tmp_path: Path, listening: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = listening("stream")
    options = {"mode": "non-blocking", "max_buffer_size": "10k"}
    container = Container(tmp_path, "syslog", syslog_address=f"tcp://127.0.0.1:{server.port}", **options)

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("line 0")
        await until(lambda: texts(server) == ["line 0"])
        await asyncio.sleep(forwarder.LINGER * 1.2)
        server.stop()
        container.print(*numbers(1, 5000))
        await until(lambda: "dropping" in caplog.text)
        container.print(*numbers(5000, 9000))
        await asyncio.sleep(1)
        server.start()
        await until(lambda: texts(server)[-1:] == ["line 8999"])

    play(scene)
    got = texts(server)[1:]
    assert got == numbers(9000 - len(got), 9000)
    assert 50 < len(got) < 5000
    assert caplog.text.count("dropping") == 1


# --- the engine's own comings and goings


def test_the_next_engine_goes_on_where_the_last_one_stopped(
    tmp_path: Path, listening: Callable[..., Server]
) -> None:
    server = listening("stream")
    container = Container(tmp_path, "syslog", syslog_address=f"tcp://127.0.0.1:{server.port}")

    async def first(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print(*numbers(0, 10))
        await until(lambda: len(texts(server)) == 10)

    async def second(forwarding: Forwarding) -> None:
        container.print(*numbers(10, 20))
        forwarding.resume(container.request, running=True)
        forwarding.agree({CONTAINER})
        container.print(*numbers(20, 30))
        await until(lambda: len(texts(server)) == 30)

    async def third(forwarding: Forwarding) -> None:
        assert not container.request.unsent()
        container.print(*numbers(30, 40))
        assert container.request.unsent()
        forwarding.resume(container.request, running=False)
        forwarding.agree(set())
        await until(lambda: len(texts(server)) == 40)
        await until(lambda: not forwarding._forwarders)

    for scene in (first, second, third):
        play(scene)
    assert texts(server) == numbers(0, 40)


def test_a_damaged_note_only_means_sending_again(tmp_path: Path, listening: Callable[..., Server]) -> None:
    server = listening("stream")
    container = Container(tmp_path, "syslog", syslog_address=f"tcp://127.0.0.1:{server.port}")

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print("one")
        await until(lambda: texts(server) == ["one"])
        await forwarding.stop(CONTAINER)
        Path(container.request.note).write_bytes(b"{")
        await forwarding.begin(container.request)
        await until(lambda: texts(server) == ["one", "one"])

    play(scene)


def test_a_removed_container_is_sent_to_its_end_and_not_waited_for_ever(
    tmp_path: Path,
    listening: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("lading.logs.forward.forwarding._PATIENCE", 1.5)
    server = listening("stream")
    container = Container(tmp_path, "syslog", syslog_address=f"tcp://127.0.0.1:{server.port}")

    async def scene(forwarding: Forwarding) -> None:
        await forwarding.begin(container.request)
        container.print(*numbers(0, 5000))
        await forwarding.finish(CONTAINER)
        await until(lambda: texts(server) == numbers(0, 5000))
        await forwarding.begin(container.request)
        await until(lambda: not forwarding._forwarders[CONTAINER][0]._spool.behind())
        server.stop()
        container.print("late")
        await forwarding.finish(CONTAINER)
        assert caplog.text.count("bytes of its log were not sent") == 1
        # One that listens but takes nothing is no better.
        server.start()
        server.reading = False
        await forwarding.begin(container.request)
        container.print(*["long " * 3000] * 2000)
        await asyncio.wait_for(forwarding.finish(CONTAINER), 10)
        assert caplog.text.count("bytes of its log were not sent") == 2

    play(scene)
