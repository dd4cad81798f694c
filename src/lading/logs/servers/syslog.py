"""Docker's `syslog` driver. Pure.

Source: docker's "Syslog logging driver"; RFC 3164, RFC 5424, RFC 5425 (frames
with their length in front); the errors are dockerd's own.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from lading.errors import InvalidParameter
from lading.logs.attributes import driver_tag
from lading.logs.contract import Entry, LogFacts
from lading.logs.servers.address import Address, host_and_port, split_url
from lading.logs.servers.plan import COMMON, Origin, Plan, Silent, Tls
from lading.units import NANOSECOND, parse_whole

_OPTIONS = COMMON | {
    "syslog-address",
    "syslog-facility",
    "syslog-format",
    "syslog-tls-ca-cert",
    "syslog-tls-cert",
    "syslog-tls-key",
    "syslog-tls-skip-verify",
}
_FACILITIES = (
    "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp".split()
    + [""] * 4
    + [f"local{number}" for number in range(8)]
)
_FORMATS = ("", "rfc3164", "rfc5424", "rfc5424micro")
_ERROR, _INFORMATION = 3, 6
_PORT = 514


def check(options: Mapping[str, str]) -> None:
    """Raises InvalidParameter."""
    for key in options:
        if key not in _OPTIONS:
            raise InvalidParameter(f"unknown log opt '{key}' for syslog log driver")
    address_of(options)
    _facility(options)
    _format(options)


def address_of(options: Mapping[str, str]) -> Address:
    """Where to; the host's own syslog where nothing is said. Raises InvalidParameter."""
    text = options.get("syslog-address", "")
    if not text:
        return Address("syslog")
    url = split_url(text)
    if url.scheme in ("unix", "unixgram"):
        return Address(url.scheme, path=url.path)
    if url.scheme not in ("udp", "tcp", "tcp+tls"):
        raise InvalidParameter(f"unsupported scheme: '{url.scheme}'")
    host, port = host_and_port(url.netloc, _PORT)
    return Address("tls" if url.scheme == "tcp+tls" else url.scheme, host, port)


def _facility(options: Mapping[str, str]) -> int:
    text = options.get("syslog-facility", "")
    if not text:
        return _FACILITIES.index("daemon")
    if text in _FACILITIES:
        return _FACILITIES.index(text)
    number = parse_whole(text)
    if number is None or not 0 <= number < len(_FACILITIES):
        raise InvalidParameter("invalid syslog facility")
    return number


def _format(options: Mapping[str, str]) -> str:
    text = options.get("syslog-format", "")
    if text not in _FORMATS:
        raise InvalidParameter("Invalid syslog format")
    return text


def plan(options: Mapping[str, str], facts: LogFacts, origin: Origin) -> Plan:
    """Raises InvalidParameter."""
    address, form = address_of(options), _format(options)
    tls = None
    if address.network == "tls":
        tls = Tls(
            ca=options.get("syslog-tls-ca-cert", ""),
            certificate=options.get("syslog-tls-cert", ""),
            key=options.get("syslog-tls-key", ""),
            # As docker: the option counts, whatever its value.
            verify="syslog-tls-skip-verify" not in options,
        )
    encoder = Syslog(
        form,
        facility=_facility(options),
        tag=driver_tag(options, facts),
        origin=origin,
        counted=tls is not None and form.startswith("rfc5424"),
    )
    return Plan(encoder=encoder, address=address, tls=tls)


class Syslog(Silent):
    """One message for each entry that is not empty, ended by a newline.

    `form` is the option `syslog-format`; `counted` puts each message's length
    in front of it.
    """

    def __init__(self, form: str, *, facility: int, tag: str, origin: Origin, counted: bool) -> None:
        self._form = form
        self._priorities = {
            stream: facility << 3 | severity
            for stream, severity in (("stdout", _INFORMATION), ("stderr", _ERROR))
        }
        self._tag = tag
        self._origin = origin
        self._counted = counted

    def encode(self, entries: Sequence[Entry]) -> list[bytes]:
        heads: dict[tuple[str, int], bytes] = {}
        messages = []
        # To the second, or the microsecond, all messages have the same head.
        grain = 1000 if self._form == "rfc5424micro" else NANOSECOND
        for stream, time_ns, line, _ in entries:
            if not line:
                continue
            key = stream, time_ns // grain
            head = heads.get(key)
            if head is None:
                head = heads[key] = self._head(stream, time_ns).encode()
            message = b"%b%b\n" % (head, line)
            messages.append(b"%d %b" % (len(message), message) if self._counted else message)
        return messages

    def _head(self, stream: str, time_ns: int) -> str:
        priority = self._priorities.get(stream, self._priorities["stdout"])
        seconds, fraction = divmod(time_ns, NANOSECOND)
        moment = datetime.fromtimestamp(seconds, UTC).astimezone().replace(microsecond=fraction // 1000)
        tag, origin = self._tag, self._origin
        if self._form.startswith("rfc5424"):
            text = moment.isoformat(timespec="microseconds" if self._form == "rfc5424micro" else "seconds")
            text = text.replace("+00:00", "Z")
            return f"<{priority}>1 {text} {origin.hostname} {tag} {origin.pid} {tag} - "
        text = f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}"
        host = f"{origin.hostname} " if self._form else ""
        return f"<{priority}>{text} {host}{tag}[{origin.pid}]: "
