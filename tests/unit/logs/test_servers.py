"""How the log servers' protocols spell entries, and what options are refused, in docker's words."""

import gzip
import json
import re
import time
import zlib
from typing import Any

import msgpack
import pytest

from lading.errors import InvalidParameter
from lading.logs import LogFacts, check_log_config
from lading.logs.contract import Entry, Partial
from lading.logs.servers import Address, Origin, Plan, plan_for
from lading.logs.servers.gelf import chunks
from lading.logs.servers.journald import field_name
from lading.schema.container import LogConfig

FACTS = LogFacts(
    container_id="0123456789abcdef" * 4,
    name="/web",
    image_id="sha256:" + "fedcba9876543210" * 4,
    image_name="shop:1",
    command=["sh", "-c", "true"],
    env=["PATH=/bin", "TIER=front"],
    labels={"team": "blue", "_zone": "north"},
    created_ns=1_700_000_000_500_000_000,
)
ORIGIN = Origin("host1", 77, 5)
SECOND = 1_704_190_205
OUT = Entry("stdout", SECOND * 10**9 + 123_456_789, b"hello")
ERR = Entry("stderr", SECOND * 10**9 + 123_456_789, b"bad \xff")
PIECE = Entry("stdout", SECOND * 10**9, b"pie", Partial("ab" * 32, 2, False))
EXTRA = {"labels": "team,_zone", "env": "TIER"}


def plan(driver: str, **options: str) -> Plan:
    return plan_for(driver, {key.replace("_", "-"): value for key, value in options.items()}, FACTS, ORIGIN)


def sent(driver: str, entries: list[Entry], **options: str) -> list[bytes]:
    return plan(driver, **options).encoder.encode(entries)


@pytest.fixture
def india(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# --- syslog


@pytest.mark.parametrize(
    ("form", "out"),
    [
        ("", b"<30>Jan  2 15:40:05 0123456789ab[77]: hello\n"),
        ("rfc3164", b"<30>Jan  2 15:40:05 host1 0123456789ab[77]: hello\n"),
        ("rfc5424", b"<30>1 2024-01-02T15:40:05+05:30 host1 0123456789ab 77 0123456789ab - hello\n"),
        (
            "rfc5424micro",
            b"<30>1 2024-01-02T15:40:05.123456+05:30 host1 0123456789ab 77 0123456789ab - hello\n",
        ),
    ],
)
def test_syslog_has_local_times_and_its_tag(india: None, form: str, out: bytes) -> None:
    assert sent("syslog", [OUT], syslog_format=form) == [out]


def test_syslog_tells_the_streams_apart_and_leaves_out_empty_lines() -> None:
    options = {"syslog_facility": "local3", "tag": "{{.ImageName}}/{{.Name}}", "syslog_format": "rfc3164"}
    messages = sent("syslog", [OUT, Entry("stdout", 1, b""), ERR], **options)
    assert [message.split(b" ")[-3 if b"bad" in message else -2 :] for message in messages] == [
        [b"shop:1/web[77]:", b"hello\n"],
        [b"shop:1/web[77]:", b"bad", b"\xff\n"],
    ]
    assert [message[:5] for message in messages] == [b"<158>", b"<155>"]


def test_syslog_over_tls_counts_the_bytes_of_rfc5424_alone() -> None:
    (message,) = sent("syslog", [OUT], syslog_address="tcp+tls://h", syslog_format="rfc5424")
    length, _, rest = message.partition(b" ")
    assert int(length) == len(rest)
    assert rest.startswith(b"<30>1 ")
    (plain,) = sent("syslog", [OUT], syslog_address="tcp+tls://h")
    assert plain.startswith(b"<30>")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", Address("syslog")),
        ("udp://log.example", Address("udp", "log.example", 514)),
        ("tcp://[::1]:1514", Address("tcp", "::1", 1514)),
        ("tcp+tls://h", Address("tls", "h", 514)),
        ("unixgram:///run/x", Address("unixgram", path="/run/x")),
    ],
)
def test_syslog_addresses(text: str, address: Address) -> None:
    assert plan("syslog", syslog_address=text).address == address


# --- fluentd


def test_fluentd_sends_each_entry_as_a_message() -> None:
    options = {"fluentd_address": "h:1", "tag": "app.{{.Name}}", **EXTRA}
    messages = [msgpack.unpackb(message) for message in sent("fluentd", [ERR, PIECE], **options)]
    about = {
        "container_id": FACTS.container_id,
        "container_name": "/web",
        "team": "blue",
        "_zone": "north",
        "TIER": "front",
    }
    piece = {
        "partial_message": "true",
        "partial_id": "ab" * 32,
        "partial_ordinal": "2",
        "partial_last": "false",
    }
    assert messages == [
        ["app.web", SECOND, {"source": "stderr", "log": "bad \ufffd", **about}, {}],
        ["app.web", SECOND, {"source": "stdout", "log": "pie", **about, **piece}, {}],
    ]


def test_fluentd_times_to_the_nanosecond() -> None:
    (message,) = sent("fluentd", [OUT], fluentd_sub_second_precision="true")
    moment = msgpack.unpackb(message)[1]
    assert (moment.code, moment.data) == (0, SECOND.to_bytes(4, "big") + (123_456_789).to_bytes(4, "big"))


def test_fluentd_asks_for_one_acknowledgement_a_batch() -> None:
    encoder = plan("fluentd", fluentd_request_ack="1").encoder
    (first,) = encoder.encode([OUT, ERR])
    answer = msgpack.unpackb(encoder.acknowledgement())
    tag, events, option = msgpack.unpackb(first)
    assert (tag, len(events), option["size"]) == ("0123456789ab", 2, 2)
    assert answer == {"ack": option["chunk"]}
    encoder.encode([OUT])
    assert msgpack.unpackb(encoder.acknowledgement()) != answer


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", Address("tcp", "127.0.0.1", 24224)),
        ("h", Address("tcp", "h", 24224)),
        ("tls://h:9", Address("tls", "h", 9)),
        ("unix:///run/f.sock", Address("unix", path="/run/f.sock")),
    ],
)
def test_fluentd_addresses(text: str, address: Address) -> None:
    assert plan("fluentd", fluentd_address=text).address == address


# --- gelf


@pytest.mark.parametrize(
    ("options", "unpack"),
    [
        ({}, gzip.decompress),
        ({"gelf_compression_type": "zlib", "gelf_compression_level": "9"}, zlib.decompress),
        ({"gelf_compression_type": "none"}, bytes),
    ],
)
def test_gelf_datagrams(options: dict[str, str], unpack: Any) -> None:
    options = {"gelf_address": "udp://h:12201", **EXTRA, **options}
    (message,) = sent("gelf", [ERR, Entry("stdout", 1, b"")], **options)
    assert json.loads(unpack(message)) == {
        "version": "1.1",
        "host": "host1",
        "short_message": "bad \ufffd",
        "timestamp": SECOND + 0.123,
        "level": 3,
        "_container_id": FACTS.container_id,
        "_container_name": "web",
        "_image_id": FACTS.image_id,
        "_image_name": "shop:1",
        "_command": "sh -c true",
        "_tag": "0123456789ab",
        "_created": "2023-11-14T22:13:20.5Z",
        "_team": "blue",
        "_zone": "north",
        "_TIER": "front",
    }


def test_gelf_on_a_stream_ends_with_a_zero_byte() -> None:
    (message,) = sent("gelf", [OUT], gelf_address="tcp://h:12201")
    assert message.endswith(b"}\0")
    assert json.loads(message[:-1])["level"] == 6


def test_gelf_cuts_long_messages_into_numbered_chunks() -> None:
    message = bytes(range(256)) * 20
    parts = chunks(message, 9)
    assert {part[:10] for part in parts} == {b"\x1e\x0f" + (9).to_bytes(8, "big")}
    assert [(part[10], part[11]) for part in parts] == [(number, len(parts)) for number in range(len(parts))]
    assert b"".join(part[12:] for part in parts) == message
    assert max(map(len, parts)) <= 1420
    assert chunks(b"x" * 200_000, 9) == []


# --- journald


def test_journald_fields() -> None:
    (entry,) = sent("journald", [PIECE], **EXTRA)
    fields = dict(line.split(b"=", 1) for line in entry.splitlines())
    assert fields == {
        b"PRIORITY": b"6",
        b"MESSAGE": b"pie",
        b"CONTAINER_ID": b"0123456789ab",
        b"CONTAINER_ID_FULL": FACTS.container_id.encode(),
        b"CONTAINER_NAME": b"web",
        b"CONTAINER_TAG": b"0123456789ab",
        b"SYSLOG_IDENTIFIER": b"0123456789ab",
        b"IMAGE_NAME": b"shop:1",
        b"TEAM": b"blue",
        b"ZONE": b"north",
        b"TIER": b"front",
        b"SYSLOG_TIMESTAMP": b"2024-01-02T10:10:05Z",
        b"CONTAINER_PARTIAL_ID": b"ab" * 32,
        b"CONTAINER_PARTIAL_ORDINAL": b"2",
        b"CONTAINER_PARTIAL_LAST": b"false",
        b"CONTAINER_PARTIAL_MESSAGE": b"true",
    }


def test_journald_values_of_several_lines_have_their_length_in_front() -> None:
    facts = LogFacts(container_id="c" * 64, name="n", labels={"poem": "a\nb"})
    (entry,) = plan_for("journald", {"labels": "poem"}, facts, ORIGIN).encoder.encode([OUT])
    assert b"\nPOEM\n" + (3).to_bytes(8, "little") + b"a\nb\n" in entry


def test_journald_names() -> None:
    assert [field_name(name) for name in ("com.example-1", "__x", "é")] == ["COM_EXAMPLE_1", "X", ""]


# --- splunk

SPLUNK = {"splunk_url": "https://h:8088", "splunk_token": "secret"}


def test_splunk_events() -> None:
    options = {**SPLUNK, **EXTRA, "splunk_source": "s", "splunk_index": "main"}
    (body,) = sent("splunk", [OUT, ERR], **options)
    first, end = json.JSONDecoder().raw_decode(body.decode())
    attributes = {"team": "blue", "_zone": "north", "TIER": "front"}
    assert first == {
        "event": {"line": "hello", "source": "stdout", "tag": "0123456789ab", "attrs": attributes},
        "time": f"{SECOND}.123457",
        "host": "host1",
        "source": "s",
        "index": "main",
    }
    assert json.loads(body.decode()[end:])["event"]["line"] == "bad \ufffd"


def test_splunk_formats() -> None:
    entries = [Entry("stdout", 1, b'{"a":1}'), Entry("stdout", 1, b"plain"), Entry("stdout", 1, b"  ")]
    (body,) = sent("splunk", entries, splunk_format="json", tag="", **SPLUNK)
    assert b'"event":{"line":{"a":1},"source":"stdout"}' in body
    assert b'"line":"plain"' in body
    (body,) = sent("splunk", entries, splunk_format="raw", tag="t", **SPLUNK)
    assert re.findall(rb'"event":"(.*?)","time"', body) == [b't {\\"a\\":1}', b"t plain"]
    (body,) = sent("splunk", entries, splunk_gzip="true", **SPLUNK)
    assert b"plain" in gzip.decompress(body)


# --- tags


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("{{.DaemonName}}-{{ .ImageID }}", "docker-fedcba987654"),
        ("{{.Name | upper}}", "WEB"),
        ("{{(.ExtraAttributes nil).TIER}}", "front"),
        ("{{.FullID}} {{.Command}}", FACTS.container_id + " sh -c true"),
    ],
)
def test_tags(template: str, tag: str) -> None:
    (message,) = sent("syslog", [OUT], tag=template, env="TIER")
    assert f" {tag}[77]: hello" in message.decode()


# --- what is refused


@pytest.mark.parametrize(
    ("driver", "options", "words"),
    [
        ("syslog", {"foo": "1"}, "unknown log opt 'foo' for syslog log driver"),
        ("syslog", {"max-size": "1m"}, "unknown log opt 'max-size' for syslog log driver"),
        ("syslog", {"syslog-address": "http://h"}, "unsupported scheme: 'http'"),
        ("syslog", {"syslog-address": "unix:///no/such"}, "stat /no/such: no such file or directory"),
        ("syslog", {"syslog-facility": "local8"}, "invalid syslog facility"),
        ("syslog", {"syslog-facility": "24"}, "invalid syslog facility"),
        ("syslog", {"syslog-format": "rfc1"}, "Invalid syslog format"),
        ("fluentd", {"foo": "1"}, "unknown log opt 'foo' for fluentd log driver"),
        (
            "fluentd",
            {"fluentd-address": "udp://h"},
            "invalid fluentd-address (udp://h): unsupported scheme: 'udp'",
        ),
        (
            "fluentd",
            {"fluentd-address": "tcp://h/x"},
            "invalid fluentd-address (tcp://h/x): should not contain a path element",
        ),
        ("fluentd", {"fluentd-async": "maybe"}, 'strconv.ParseBool: parsing "maybe": invalid syntax'),
        (
            "fluentd",
            {"fluentd-async-reconnect-interval": "1m"},
            'invalid value for fluentd-async-reconnect-interval: value ("1m") must be between 100ms and 10s',
        ),
        ("gelf", {}, "gelf-address is a required parameter"),
        ("gelf", {"gelf-address": "h:1"}, "gelf-address should be in form proto://address, got h:1"),
        ("gelf", {"gelf-address": "udp://h"}, "gelf: please provide gelf-address as proto://host:port"),
        ("gelf", {"gelf-address": "http://h:1"}, "gelf: endpoint needs to be TCP or UDP"),
        ("gelf", {"gelf-address": "udp://h:1", "foo": "1"}, 'unknown log opt "foo" for gelf log driver'),
        (
            "gelf",
            {"gelf-address": "udp://h:1", "gelf-compression-level": "10"},
            'unknown value "10" for log opt "gelf-compression-level" for gelf log driver',
        ),
        (
            "gelf",
            {"gelf-address": "tcp://h:1", "gelf-compression-type": "gzip"},
            "compression is only supported on UDP",
        ),
        (
            "gelf",
            {"gelf-address": "udp://h:1", "gelf-tcp-max-reconnect": "1"},
            '"gelf-tcp-max-reconnect" is only valid for TCP',
        ),
        ("journald", {"foo": "1"}, "unknown log opt 'foo' for journald log driver"),
        ("splunk", {"foo": "1"}, "unknown log opt 'foo' for splunk log driver"),
        ("journald", {"cache-disabled": "maybe"}, "invalid value for option cache-disabled: maybe"),
        (
            "awslogs",
            {},
            "logger: no log driver named 'awslogs' is registered: "
            "this engine has no client for Amazon CloudWatch Logs",
        ),
    ],
)
def test_bad_options_are_refused(driver: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_log_config(LogConfig(type=driver, config=options))
    assert caught.value.message == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "splunk: splunk-url is expected"),
        ({"splunk_url": "https://h"}, "splunk: splunk-token is expected"),
        (
            {"splunk_url": "https://h/path", "splunk_token": "t"},
            "splunk: expected format scheme://dns_name_or_ip:port for splunk-url",
        ),
    ],
)
def test_splunk_looks_at_values_when_it_starts(options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        plan("splunk", **options)
    assert caught.value.message == words
