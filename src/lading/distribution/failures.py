"""What goes wrong below HTTP, worded as Go's client words it for docker's users."""

import errno
import os
import re
import socket
import ssl
from http import client
from urllib.parse import urlsplit

import urllib3
from urllib3 import exceptions as failed

from lading.distribution.endpoints import origin
from lading.distribution.values import Interrupted, Unreachable
from lading.errors import LadingError

_UNTRUSTED = {9: "is not valid yet", 10: "has expired"}
_SELF_SIGNED = frozenset({2, 18, 19, 20, 21})
_SIGNING = re.compile(r"signature|sig=|token=|credential", re.IGNORECASE)
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


def failure(method: str, url: str, error: Exception, proxy: str = "") -> LadingError:
    """An exception of urllib3 or of a socket as Unreachable or Interrupted.

    `proxy` is the URL of the proxy on the way, if there is one.
    """
    before = f'{method.capitalize()} "{shown_url(url)}": '
    cause = _innermost(error)
    if isinstance(error, failed.ProxyError):
        return Unreachable(before + _proxy(proxy, cause))
    if isinstance(error, failed.ConnectTimeoutError) and not isinstance(error, failed.NewConnectionError):
        return Unreachable(f"{before}dial tcp {_address(url)}: i/o timeout")
    if isinstance(cause, socket.gaierror | UnicodeError):
        return Unreachable(f"{before}dial tcp: lookup {origin(url)[1]}: {_lookup(cause)}")
    if isinstance(cause, ssl.SSLError | failed.SSLError | ssl.CertificateError):
        return Unreachable(before + _tls(cause))
    if isinstance(error, failed.NewConnectionError):
        return Unreachable(before + (_dial(url, cause) or f"dial tcp: {cause}"))
    if isinstance(error, failed.LocationParseError | failed.LocationValueError | client.InvalidURL):
        return Unreachable(f"{before}invalid URL: {error}")
    return Interrupted(before + _broken(error, cause))


def _innermost(error: BaseException) -> BaseException:
    seen = {id(error)}
    while True:
        inner = getattr(error, "original_error", None) or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = error.__cause__ or error.__context__
        if isinstance(error, failed.ProtocolError) and not isinstance(error, failed.IncompleteRead):
            inner = next((part for part in error.args if isinstance(part, BaseException)), inner)
        if inner is None or id(inner) in seen:
            return error
        seen.add(id(inner))
        error = inner


def _proxy(proxy: str, cause: BaseException) -> str:
    _, tunnel, answer = str(cause).partition("Tunnel connection failed: ")
    if tunnel:
        return answer.partition(" ")[2] or answer
    if isinstance(cause, socket.gaierror):
        return f"proxyconnect tcp: dial tcp: lookup {origin(proxy)[1]}: {_lookup(cause)}"
    return f"proxyconnect tcp: {_dial(proxy, cause) or cause}"


def _lookup(cause: BaseException) -> str:
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
        return "Temporary failure in name resolution"
    return "no such host"


def _dial(url: str, cause: BaseException) -> str:
    if isinstance(cause, TimeoutError):
        return f"dial tcp {_address(url)}: i/o timeout"
    if isinstance(cause, OSError) and cause.errno:
        return f"dial tcp {_address(url)}: connect: {os.strerror(cause.errno).lower()}"
    return ""


def _address(url: str) -> str:
    _, host, port = origin(url)
    try:
        host = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        pass
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tls(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_untrusted(cause)}"
    reason = str(getattr(cause, "reason", "") or cause)
    if any(word in reason for word in _NO_TLS):
        return "http: server gave HTTP response to HTTPS client"
    if isinstance(cause, ssl.SSLEOFError) or "UNEXPECTED_EOF" in reason:
        return "EOF"
    if "ALERT" in reason:
        said = reason.partition("ALERT_")[2] or reason
        return f"remote error: tls: {said.lower().replace('_', ' ')}"
    return f"tls: {reason.lower().replace('_', ' ')}"


def _untrusted(cause: ssl.SSLCertVerificationError) -> str:
    if cause.verify_code in _SELF_SIGNED:
        return "certificate signed by unknown authority"
    if cause.verify_code in _UNTRUSTED:
        return f"certificate has expired or is not yet valid: it {_UNTRUSTED[cause.verify_code]}"
    return cause.verify_message or str(cause)


def _broken(error: Exception, cause: BaseException) -> str:
    if isinstance(error, failed.ReadTimeoutError) or isinstance(cause, TimeoutError):
        return "context deadline exceeded (Client.Timeout exceeded while awaiting data)"
    if isinstance(error, failed.IncompleteRead) or isinstance(cause, client.IncompleteRead):
        return "unexpected EOF"
    if isinstance(cause, ValueError):
        # http.client reads the length of the next piece without a look whether there is one.
        return "unexpected EOF" if "b''" in str(cause) else "malformed chunked encoding"
    if isinstance(cause, client.RemoteDisconnected):
        return "EOF"
    if isinstance(cause, OSError) and cause.errno in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return f"read: {os.strerror(cause.errno or 0).lower()}"
    if isinstance(cause, client.HTTPException | failed.InvalidChunkLength):
        return f"malformed HTTP response: {cause}"
    return str(cause) or type(cause).__name__


def endless(method: str, url: str) -> LadingError:
    """One redirect too many."""
    return LadingError(f'{method.capitalize()} "{shown_url(url)}": stopped after 10 redirects')


def shown_url(url: str) -> str:
    """Without a password, and without a query that signs a request to a storage."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if "@" in parts.netloc:
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if _SIGNING.search(parts.query):
        parts = parts._replace(query="")
    return parts.geturl()


CAUGHT = (urllib3.exceptions.HTTPError, OSError, client.HTTPException, UnicodeError)
"""What a request may raise, and `failure` can word."""
