"""Docker's `splunk` driver. Pure.

Source: docker's "Splunk logging driver"; Splunk's HTTP Event Collector,
/services/collector/event/1.0; the errors are dockerd's own.
"""

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lading.errors import InvalidParameter
from lading.logs.attributes import driver_tag, extra_attributes
from lading.logs.contract import Entry, LogFacts
from lading.logs.servers.address import split_url
from lading.logs.servers.plan import COMMON, Collector, Origin, Plan, Silent, Tls
from lading.logs.values import parse_boolean
from lading.units import NANOSECOND, parse_whole

_OPTIONS = COMMON | {
    "splunk-capath",
    "splunk-caname",
    "splunk-format",
    "splunk-gzip",
    "splunk-gzip-level",
    "splunk-index",
    "splunk-index-acknowledgment",
    "splunk-insecureskipverify",
    "splunk-source",
    "splunk-sourcetype",
    "splunk-token",
    "splunk-url",
    "splunk-verify-connection",
}
_FORMATS = ("inline", "json", "raw")


def check(options: Mapping[str, str]) -> None:
    """Raises InvalidParameter. As with dockerd, values are looked at when a container starts."""
    for key in options:
        if key not in _OPTIONS:
            raise InvalidParameter(f"unknown log opt '{key}' for splunk log driver")


def plan(options: Mapping[str, str], facts: LogFacts, origin: Origin) -> Plan:
    """Raises InvalidParameter."""
    url = _url(options)
    if "splunk-token" not in options:
        raise InvalidParameter("splunk: splunk-token is expected")
    form = options.get("splunk-format", "inline")
    if form not in _FORMATS:
        raise InvalidParameter(f"unknown format specified {form}, supported formats are inline, json and raw")
    level = _level(options)
    packed = _truth(options, "splunk-gzip", False)
    headers = {"Authorization": f"Splunk {options['splunk-token']}"}
    if packed:
        headers["Content-Encoding"] = "gzip"
    if _truth(options, "splunk-index-acknowledgment", False):
        headers["X-Splunk-Request-Channel"] = f"{origin.nonce:032x}"
    envelope = {"host": origin.hostname}
    for key in ("source", "sourcetype", "index"):
        if value := options.get(f"splunk-{key}", ""):
            envelope[key] = value
    # An empty tag leaves it out.
    tag = driver_tag(options, facts) if options.get("tag", "-") else ""
    return Plan(
        encoder=Events(form, envelope, tag, extra_attributes(options, facts), level if packed else None),
        collector=Collector(url, headers, _truth(options, "splunk-verify-connection", True)),
        tls=Tls(
            ca=options.get("splunk-capath", ""),
            verify=not _truth(options, "splunk-insecureskipverify", False),
            server_name=options.get("splunk-caname", ""),
        ),
    )


def _url(options: Mapping[str, str]) -> str:
    if "splunk-url" not in options:
        raise InvalidParameter("splunk: splunk-url is expected")
    text = options["splunk-url"]
    url = split_url(text)
    bad = url.path not in ("", "/") or url.query or url.fragment or url.username
    if url.scheme not in ("http", "https") or not url.netloc or bad:
        raise InvalidParameter("splunk: expected format scheme://dns_name_or_ip:port for splunk-url")
    return f"{url.scheme}://{url.netloc}/services/collector/event/1.0"


def _truth(options: Mapping[str, str], key: str, default: bool) -> bool:
    return parse_boolean(options[key]) if key in options else default


def _level(options: Mapping[str, str]) -> int:
    text = options.get("splunk-gzip-level", "-1")
    number = parse_whole(text)
    if number is None:
        raise InvalidParameter(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if not -1 <= number <= 9:
        raise InvalidParameter(
            f"not supported level '{text}' for splunk-gzip-level (supported values between -1 and 9)"
        )
    return number


class Events(Silent):
    """A batch of JSON objects, one after another; compressed where a `level` is given."""

    def __init__(
        self,
        form: str,
        envelope: Mapping[str, str],
        tag: str,
        attributes: Mapping[str, str],
        level: int | None,
    ) -> None:
        self._form = form
        self._envelope = dict(envelope)
        self._attributes = dict(attributes)
        self._tag = tag
        self._level = level

    def encode(self, entries: Sequence[Entry]) -> list[bytes]:
        body = b"".join(
            msgspec.json.encode({"event": event, "time": f"{entry.time_ns / NANOSECOND:f}", **self._envelope})
            for entry in entries
            if (event := self._event(entry)) is not None
        )
        if not body:
            return []
        return [body if self._level is None else gzip.compress(body, self._level)]

    def _event(self, entry: Entry) -> Any:
        text = entry.line.decode("utf-8", "replace")
        if self._form == "raw":
            before = f"{self._tag} " if self._tag else ""
            before += "".join(f"{key}={value} " for key, value in self._attributes.items())
            return before + text if text.strip() else None
        line: Any = text
        if self._form == "json":
            try:
                msgspec.json.decode(entry.line)
                line = msgspec.Raw(entry.line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
        event: dict[str, Any] = {"line": line, "source": entry.stream}
        if self._tag:
            event["tag"] = self._tag
        if self._attributes:
            event["attrs"] = self._attributes
        return event
