"""Docker's `journald` driver. Pure.

Source: docker's "Journald logging driver"; systemd's "Native Journal Protocol".
"""

import struct
from collections.abc import Mapping, Sequence

from lading.errors import InvalidParameter
from lading.ids import short_id
from lading.logs.attributes import driver_tag, extra_attributes
from lading.logs.contract import Entry, LogFacts
from lading.logs.servers.address import Address
from lading.logs.servers.plan import COMMON, Origin, Plan, Silent
from lading.units import rfc3339

_ERROR, _INFORMATION = b"3", b"6"
SOCKET = "/run/systemd/journal/socket"


def check(options: Mapping[str, str]) -> None:
    """Raises InvalidParameter."""
    for key in options:
        if key not in COMMON:
            raise InvalidParameter(f"unknown log opt '{key}' for journald log driver")


def plan(options: Mapping[str, str], facts: LogFacts, origin: Origin) -> Plan:
    """Raises InvalidParameter."""
    tag = driver_tag(options, facts)
    fields = {
        "CONTAINER_ID": short_id(facts.container_id),
        "CONTAINER_ID_FULL": facts.container_id,
        "CONTAINER_NAME": facts.name.removeprefix("/"),
        "CONTAINER_TAG": tag,
        "IMAGE_NAME": facts.image_name,
        "SYSLOG_IDENTIFIER": tag,
    }
    for key, value in extra_attributes(options, facts).items():
        if name := field_name(key):
            fields[name] = value
    return Plan(
        encoder=Journal(fields),
        address=Address("unixgram", path=SOCKET),
        refusal="journald is not enabled on this host",
    )


def field_name(key: str) -> str:
    """A name as the journal allows it: capitals, digits, and underscores but in front."""
    name = "".join(letter.upper() if letter.isascii() and letter.isalnum() else "_" for letter in key)
    return name.lstrip("_")


def _field(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return b"%b=%b\n" % (name.encode(), value)


class Journal(Silent):
    """A datagram for each entry."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = b"".join(_field(name, value.encode()) for name, value in fields.items())

    def encode(self, entries: Sequence[Entry]) -> list[bytes]:
        return [self._entry(entry) for entry in entries]

    def _entry(self, entry: Entry) -> bytes:
        priority = _ERROR if entry.stream == "stderr" else _INFORMATION
        about = _field("SYSLOG_TIMESTAMP", rfc3339(entry.time_ns).encode())
        if entry.partial is not None:
            about += _field("CONTAINER_PARTIAL_ID", entry.partial.id.encode())
            about += _field("CONTAINER_PARTIAL_ORDINAL", str(entry.partial.ordinal).encode())
            about += _field("CONTAINER_PARTIAL_LAST", b"true" if entry.partial.last else b"false")
            if not entry.partial.last:
                about += _field("CONTAINER_PARTIAL_MESSAGE", b"true")
        return _field("PRIORITY", priority) + _field("MESSAGE", entry.line) + self._fields + about
