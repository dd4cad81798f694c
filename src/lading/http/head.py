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
    body: FixedBody | ChunkedBody


@dataclass(slots=True)
class _Collector:
    url: bytes = b""
    fields: list[tuple[str, str]] = field(default_factory=list)

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
    if not collector.url:
        raise InvalidParameter("malformed HTTP request: no target")
    headers = Headers(collector.fields)
    return Head(
        method=parser.get_method().decode("ascii"),
        target=collector.url.decode("latin-1"),
        headers=headers,
        keep_alive=_keep_alive(parser.get_http_version(), headers),
        body=_body(headers),
    )


def _keep_alive(version: str, headers: Headers) -> bool:
    if headers.has_token("connection", "close"):
        return False
    return version != "1.0" or headers.has_token("connection", "keep-alive")


def _body(headers: Headers) -> FixedBody | ChunkedBody:
    if headers.has_token("transfer-encoding", "chunked"):
        return ChunkedBody()
    text = headers.get("content-length", "0").strip()
    if not text.isdecimal() or len(text) > 18:
        raise InvalidParameter(f"malformed HTTP request: content length {text!r}")
    return FixedBody(int(text))
