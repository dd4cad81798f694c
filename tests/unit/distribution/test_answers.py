"""What refusals mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.distribution import TooManyRequests
from lading.distribution.answers import refusal
from lading.distribution.challenge import challenges
from lading.errors import Forbidden, LadingError, NotFound, Unauthorized


def _errors(*pairs: tuple[str, str]) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": text} for code, text in pairs]}).encode()


@pytest.mark.parametrize(
    ("status", "demands", "body", "kind", "text"),
    [
        (404, "", _errors(("MANIFEST_UNKNOWN", "nope")), NotFound, "manifest unknown: nope"),
        (403, "", _errors(("DENIED", "no"), ("UNAUTHORIZED", "x")), Forbidden, "denied: no"),
        (401, "", b"", Unauthorized, "unauthorized: authentication required"),
        (401, "", b'{"details": "who?"}', Unauthorized, "unauthorized: who?"),
        (429, "", b'{"details": "slow"}', TooManyRequests, "toomanyrequests: slow"),
        (429, "", b"", TooManyRequests, "toomanyrequests: too many requests"),
        (
            401,
            'Bearer realm="r",error="insufficient_scope"',
            _errors(("UNAUTHORIZED", "authentication required")),
            Forbidden,
            "denied: requested access to the resource is denied",
        ),
        (
            401,
            'Bearer realm="r",error="invalid_token",error_description="too old"',
            b"",
            Unauthorized,
            "unauthorized: too old",
        ),
        (502, "", b"<html>", LadingError, "received unexpected HTTP status: 502 Bad Gateway"),
        (503, "", _errors(("UNAVAILABLE", "")), LadingError, "unavailable: service unavailable"),
        (404, "", b"", NotFound, "unexpected status from registry: 404 Not Found"),
        (
            400,
            "",
            b"{}",
            LadingError,
            'error parsing HTTP 400 response body: no error details found in HTTP response body: "{}"',
        ),
        (
            400,
            "",
            b"Client",
            LadingError,
            'error parsing HTTP 400 response body: invalid character in JSON: "Client"',
        ),
    ],
)
def test_refusals(status: int, demands: str, body: bytes, kind: type[LadingError], text: str) -> None:
    error = refusal(status, challenges([demands]), body).error()
    assert type(error) is kind
    assert str(error) == text


@given(
    st.integers(400, 599), st.one_of(st.binary(), st.from_type(dict).map(lambda value: repr(value).encode()))
)
def test_nothing_a_registry_says_makes_it_fail(status: int, body: bytes) -> None:
    assert refusal(status, [], body).text
