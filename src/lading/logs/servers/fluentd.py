"""Docker's `fluentd` driver. Pure.

Source: docker's "Fluentd logging driver"; Fluentd's "Forward Protocol
Specification v1" (Message mode, and Forward mode where acknowledgements are
wanted); the errors are dockerd's own.
"""

import struct
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lading.errors import InvalidParameter
from lading.logs.attributes import driver_tag, extra_attributes
from lading.logs.contract import Entry, LogFacts
from lading.logs.servers.address import Address, split_url
from lading.logs.servers.plan import COMMON, Origin, Plan, Tls
from lading.logs.values import parse_boolean
from lading.units import NANOSECOND, parse_duration, parse_size, parse_whole

_OPTIONS = COMMON | {
    "fluentd-address",
    "fluentd-async",
    "fluentd-async-reconnect-interval",
    "fluentd-buffer-limit",
    "fluentd-max-retries",
    "fluentd-read-timeout",
    "fluentd-request-ack",
    "fluentd-retry-wait",
    "fluentd-sub-second-precision",
    "fluentd-write-timeout",
}
_HOST, _PORT = "127.0.0.1", 24224
_EVENT_TIME = 0


def check(options: Mapping[str, str]) -> None:
    """Raises InvalidParameter."""
    for key in options:
        if key not in _OPTIONS:
            raise InvalidParameter(f"unknown log opt '{key}' for fluentd log driver")
    _address(options.get("fluentd-address", ""))
    if size := options.get("fluentd-buffer-limit", ""):
        parse_size(size)
    if wait := options.get("fluentd-retry-wait", ""):
        parse_duration(wait)
    retries = options.get("fluentd-max-retries", "")
    if retries and not (retries.isdecimal() and parse_whole(retries) is not None):
        raise InvalidParameter(f'strconv.ParseUint: parsing "{retries}": invalid syntax')
    for key in ("fluentd-async", "fluentd-request-ack", "fluentd-sub-second-precision"):
        _truth(options, key)
    _check_interval(options.get("fluentd-async-reconnect-interval", ""))
    for key in ("fluentd-read-timeout", "fluentd-write-timeout"):
        _check_timeout(key, options.get(key, ""))


def _check_interval(text: str) -> None:
    key = "fluentd-async-reconnect-interval"
    try:
        interval = parse_duration(text) if text else 0
    except InvalidParameter as error:
        raise InvalidParameter(f"invalid value for {key}: {error.message}") from None
    if interval and not NANOSECOND // 10 <= interval <= 10 * NANOSECOND:
        raise InvalidParameter(f'invalid value for {key}: value ("{text}") must be between 100ms and 10s')


def _check_timeout(key: str, text: str) -> None:
    try:
        timeout = parse_duration(text) if text else 0
    except InvalidParameter as error:
        raise InvalidParameter(f"invalid value for {key}: {error.message}") from None
    if timeout < 0:
        raise InvalidParameter(f'invalid value for {key}: value must be a positive duration: "{text}"')


def _truth(options: Mapping[str, str], key: str) -> bool:
    return parse_boolean(options[key]) if options.get(key) else False


def _address(text: str) -> Address:
    if not text:
        return Address("tcp", _HOST, _PORT)
    try:
        return _any_address(text if "://" in text else f"tcp://{text}")
    except InvalidParameter as error:
        raise InvalidParameter(f"invalid fluentd-address ({text}): {error.message}") from None


def _any_address(text: str) -> Address:
    url = split_url(text)
    if url.scheme == "unix":
        if not url.path.lstrip("/"):
            raise InvalidParameter("path is empty")
        return Address("unix", path=url.path)
    if url.scheme not in ("tcp", "tls"):
        raise InvalidParameter(f"unsupported scheme: '{url.scheme}'")
    if url.path:
        raise InvalidParameter("should not contain a path element")
    try:
        port = url.port
    except ValueError:
        raise InvalidParameter(f'invalid port: "{url.netloc.rpartition(":")[2]}"') from None
    return Address(url.scheme, url.hostname or _HOST, _PORT if port is None else port)


def plan(options: Mapping[str, str], facts: LogFacts, origin: Origin) -> Plan:
    """Raises InvalidParameter."""
    address = _address(options.get("fluentd-address", ""))
    record = {
        "container_id": facts.container_id,
        "container_name": f"/{facts.name.removeprefix('/')}",
        **extra_attributes(options, facts),
    }
    encoder = Forward(
        driver_tag(options, facts),
        record,
        exact=_truth(options, "fluentd-sub-second-precision"),
        acknowledged=_truth(options, "fluentd-request-ack"),
        origin=origin,
    )
    wait = options.get("fluentd-retry-wait", "")
    return Plan(
        encoder=encoder,
        address=address,
        tls=Tls() if address.network == "tls" else None,
        eager=not _truth(options, "fluentd-async"),
        retry_ns=parse_duration(wait) if wait else 0,
    )


class Forward:
    """[tag, time, record, option] for each entry, or [tag, [[time, record], …], option] to be acknowledged.

    `exact` gives times in nanoseconds, as the protocol's EventTime.
    """

    def __init__(
        self, tag: str, record: Mapping[str, str], *, exact: bool, acknowledged: bool, origin: Origin
    ) -> None:
        self._tag = tag
        self._record = dict(record)
        self._exact = exact
        self._acknowledged = acknowledged
        self._origin = origin
        self._count = 0

    def encode(self, entries: Sequence[Entry]) -> list[bytes]:
        encode = msgspec.msgpack.encode
        if not self._acknowledged:
            return [encode((self._tag, self._time(entry), self._event(entry), {})) for entry in entries]
        self._count += 1
        events = [(self._time(entry), self._event(entry)) for entry in entries]
        return [encode((self._tag, events, {"chunk": self._chunk(), "size": len(events)}))]

    def acknowledgement(self) -> bytes:
        return msgspec.msgpack.encode({"ack": self._chunk()}) if self._acknowledged else b""

    def _chunk(self) -> str:
        return b64encode(struct.pack(">QQ", self._origin.nonce, self._count)).decode()

    def _time(self, entry: Entry) -> Any:
        seconds, fraction = divmod(entry.time_ns, NANOSECOND)
        if self._exact:
            return msgspec.msgpack.Ext(_EVENT_TIME, struct.pack(">II", seconds, fraction))
        return seconds

    def _event(self, entry: Entry) -> dict[str, str]:
        text = entry.line.decode("utf-8", "replace")
        event = {"source": entry.stream, "log": text, **self._record}
        if entry.partial is not None:
            event["partial_message"] = "true"
            event["partial_id"] = entry.partial.id
            event["partial_ordinal"] = str(entry.partial.ordinal)
            event["partial_last"] = "true" if entry.partial.last else "false"
        return event
