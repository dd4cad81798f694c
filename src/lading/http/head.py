"""The first part of a request: its line and header fields."""

from dataclasses import dataclass, field

import httptools

from lading.errors import InvalidParameter
from lading.http.body import ChunkedBody, FixedBody
from lading.http.messages import Headers

END = b"\r\n\r\n"
LONGEST = 128 * 1024
"""Bytes; X-Registry-Config may carry many registries' credentials."""


@dataclass(slots=True)
class Head:
    """A parsed request head."""

    method: str
    target: str
    headers: Headers
    keep_alive: bool
    takes_chunks: bool
    body: FixedBody | ChunkedBody


@dataclass(slots=True)
class _Collector:
    url: bytes = b""
    fields: list[tuple[str, str]] = field(default_factory=list)
    begun: int = 0

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.decode("latin-1"), value.decode("latin-1")))


def parse_head(data: bytes) -> Head:
    """Parses everything up to and with the empty line. Raises InvalidParameter."""
    collector = _Collector()
    parser = httptools.HttpRequestParser(collector)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise InvalidParameter(f"malformed HTTP request: {error}") from None
    # A second request inside the first one's fields would be the work of a smuggler.
    if collector.begun != 1 or not collector.url:
        raise InvalidParameter("malformed HTTP request")
    version = parser.get_http_version()
    if version not in ("1.0", "1.1"):
        raise InvalidParameter(f"malformed HTTP request: version {version} is not spoken here")
    headers = Headers(collector.fields)
    return Head(
        method=parser.get_method().decode("ascii"),
        target=_origin_form(collector.url.decode("latin-1")),
        headers=headers,
        keep_alive=_keep_alive(version, headers),
        takes_chunks=version != "1.0",
        body=_body(headers),
    )


def _origin_form(target: str) -> str:
    """The path and query of a target in absolute form (RFC 9112, section 3.2.2)."""
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return target
    _, slash, path = rest.partition("/")
    return slash + path or "/"


def _keep_alive(version: str, headers: Headers) -> bool:
    if headers.has_token("connection", "close"):
        return False
    return version != "1.0" or headers.has_token("connection", "keep-alive")


def _body(headers: Headers) -> FixedBody | ChunkedBody:
    """How the body is framed. Raises InvalidParameter where that is doubtful (RFC 9112, section 6.3)."""
    codings = headers.all("transfer-encoding")
    if codings:
        if [coding.strip().lower() for coding in codings] != ["chunked"] or "content-length" in headers:
            raise InvalidParameter("malformed HTTP request: the only transfer coding taken is chunked")
        return ChunkedBody()
    lengths = set(headers.all("content-length")) or {"0"}
    text = lengths.pop().strip()
    if lengths or not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidParameter("malformed HTTP request: the content length is not a number")
    return FixedBody(int(text))
