"""Docker's `gelf` driver. Pure.

Source: docker's "Graylog Extended Format logging driver"; Graylog's "GELF via
UDP" (chunks, compression) and "GELF via TCP" (messages end with a zero byte);
the errors are dockerd's own.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lading.errors import InvalidParameter
from lading.logs.attributes import driver_tag, extra_attributes
from lading.logs.contract import Entry, LogFacts
from lading.logs.servers.address import Address, host_and_port, split_url
from lading.logs.servers.plan import COMMON, Origin, Plan, Silent
from lading.units import NANOSECOND, parse_whole, rfc3339

_OPTIONS = COMMON | {
    "gelf-address",
    "gelf-compression-level",
    "gelf-compression-type",
    "gelf-tcp-max-reconnect",
    "gelf-tcp-reconnect-delay",
}
_COMPRESSIONS = ("gzip", "zlib", "none")
_ERROR, _INFORMATION = 3, 6
_MAGIC = b"\x1e\x0f"
_CHUNK = 1420 - 12
MOST_CHUNKS = 128
"""More than so many a server does not take: the message is too long."""


def check(options: Mapping[str, str]) -> None:
    """Raises InvalidParameter."""
    address = _address(options.get("gelf-address", ""))
    for key, value in options.items():
        if key not in _OPTIONS:
            raise InvalidParameter(f'unknown log opt "{key}" for gelf log driver')
        if key.startswith("gelf-compression"):
            if address.network != "udp":
                raise InvalidParameter("compression is only supported on UDP")
            known = value in _COMPRESSIONS if key.endswith("type") else _level(value) is not None
            if not known:
                raise InvalidParameter(f'unknown value "{value}" for log opt "{key}" for gelf log driver')
        elif key.startswith("gelf-tcp"):
            if address.network != "tcp":
                raise InvalidParameter(f'"{key}" is only valid for TCP')
            number = parse_whole(value)
            if number is None or number < 0:
                raise InvalidParameter(f'"{key}" must be a positive integer')


def _level(text: str) -> int | None:
    number = parse_whole(text)
    return number if number is not None and -1 <= number <= 9 else None


def _address(text: str) -> Address:
    if not text:
        raise InvalidParameter("gelf-address is a required parameter")
    url = split_url(text)
    if "://" not in text:
        raise InvalidParameter(f"gelf-address should be in form proto://address, got {text}")
    if url.scheme not in ("udp", "tcp"):
        raise InvalidParameter("gelf: endpoint needs to be TCP or UDP")
    try:
        host, port = host_and_port(url.netloc)
    except InvalidParameter:
        raise InvalidParameter("gelf: please provide gelf-address as proto://host:port") from None
    return Address(url.scheme, host, port)


def plan(options: Mapping[str, str], facts: LogFacts, origin: Origin) -> Plan:
    """Raises InvalidParameter."""
    address = _address(options.get("gelf-address", ""))
    about: dict[str, str] = {
        "_container_id": facts.container_id,
        "_container_name": facts.name.removeprefix("/"),
        "_image_id": facts.image_id,
        "_image_name": facts.image_name,
        "_command": " ".join(facts.command),
        "_tag": driver_tag(options, facts),
        "_created": rfc3339(facts.created_ns),
    }
    for key, value in extra_attributes(options, facts).items():
        about[key if key.startswith("_") else f"_{key}"] = value
    datagrams = address.network == "udp"
    compression = options.get("gelf-compression-type", "gzip") if datagrams else "none"
    level = parse_whole(options.get("gelf-compression-level", "1"))
    encoder = Gelf(
        about,
        origin,
        pack=_packing(compression, 1 if level is None else level),
        datagrams=datagrams,
    )
    delay = parse_whole(options.get("gelf-tcp-reconnect-delay", "1")) or 0
    return Plan(
        encoder=encoder,
        address=address,
        refusal=f"gelf: cannot connect to GELF endpoint: {address} {{}}",
        retry_ns=min(delay, 3600) * NANOSECOND,
    )


def _packing(compression: str, level: int) -> Callable[[bytes], bytes]:
    if compression == "gzip":
        return lambda data: gzip.compress(data, level, mtime=0)
    if compression == "zlib":
        return lambda data: zlib.compress(data, level)
    return lambda data: data


class Gelf(Silent):
    """One message for each entry that is not empty: in datagrams, or on a stream with zero bytes between."""

    def __init__(
        self,
        about: Mapping[str, str],
        origin: Origin,
        *,
        pack: Callable[[bytes], bytes],
        datagrams: bool,
    ) -> None:
        self._about = dict(about)
        self._origin = origin
        self._pack = pack
        self._datagrams = datagrams
        self._count = 0

    def encode(self, entries: Sequence[Entry]) -> list[bytes]:
        sent: list[bytes] = []
        for entry in entries:
            if not entry.line:
                continue
            message = msgspec.json.encode(
                {
                    "version": "1.1",
                    "host": self._origin.hostname,
                    "short_message": entry.line.decode("utf-8", "replace"),
                    "timestamp": entry.time_ns // 1_000_000 / 1000,
                    "level": _ERROR if entry.stream == "stderr" else _INFORMATION,
                    **self._about,
                }
            )
            if self._datagrams:
                self._count += 1
                sent += chunks(self._pack(message), self._origin.nonce + self._count)
            else:
                sent.append(message + b"\0")
        return sent


def chunks(message: bytes, identifier: int) -> list[bytes]:
    """The datagrams of one message; none where it is too long to be sent."""
    if len(message) <= _CHUNK + 12:
        return [message]
    count = -(-len(message) // _CHUNK)
    if count > MOST_CHUNKS:
        return []
    head = _MAGIC + struct.pack(">Q", identifier & 0xFFFF_FFFF_FFFF_FFFF)
    return [
        head + bytes((number, count)) + message[number * _CHUNK : (number + 1) * _CHUNK]
        for number in range(count)
    ]
