"""Connecting to a log server; what fails is told in the words of Go's net package."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lading.aio.tasks import in_thread
from lading.errors import LadingError
from lading.logs.servers import Address, Tls

_SECONDS = 10
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_LOCAL_SYSLOG = ("/dev/log", "/var/run/syslog", "/var/run/log")


class DialError(LadingError):
    """A server cannot be reached, or is not who it should be."""


def go_reason(error: OSError) -> str:
    """The error as Go spells it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or error}"
    number = error.errno
    if number is None and (several := _ERRNO.search(str(error))):
        # asyncio's word for a name with several addresses.
        number = int(several[1])
    reason = os.strerror(number) if number else str(error)
    return reason[:1].lower() + reason[1:]


@asynccontextmanager
async def _dialling(address: Address) -> AsyncIterator[None]:
    network = "tcp" if address.network == "tls" else address.network
    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except TimeoutError:
        raise DialError(f"dial {network} {address}: i/o timeout") from None
    except socket.gaierror:
        raise DialError(f"dial {network}: lookup {address.host}: no such host") from None
    except ssl.SSLError as error:
        raise DialError(go_reason(error)) from None
    except OSError as error:
        raise DialError(f"dial {network} {address}: connect: {go_reason(error)}") from None


async def open_stream(address: Address, tls: Tls | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To a "tcp", "tls" or "unix" address. Raises DialError."""
    context = await in_thread(tls_context, tls) if tls is not None else None
    async with _dialling(address):
        if address.network == "unix":
            return await asyncio.open_unix_connection(address.path)
        name = (tls.server_name or address.host) if tls is not None else None
        return await asyncio.open_connection(address.host, address.port, ssl=context, server_hostname=name)


async def open_datagrams(address: Address) -> socket.socket:
    """To a "udp", "unixgram" or "syslog" address. Raises DialError."""
    if address.network == "syslog":
        return _local_syslog()
    loop = asyncio.get_running_loop()
    async with _dialling(address):
        if address.network == "unixgram":
            return _connected(socket.AF_UNIX, address.path)
        host = address.host or "127.0.0.1"
        infos = await loop.getaddrinfo(host, address.port, type=socket.SOCK_DGRAM)
        family, _, _, _, target = infos[0]
        return _connected(family, target)


def _connected(family: int, target: Any) -> socket.socket:
    sender = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sender.setblocking(False)
        sender.connect(target)
    except OSError:
        sender.close()
        raise
    return sender


def _local_syslog() -> socket.socket:
    for path in _LOCAL_SYSLOG:
        try:
            return _connected(socket.AF_UNIX, path)
        except OSError:
            continue
    raise DialError("Unix syslog delivery error")


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Raises DialError for files that cannot be used."""
    context = ssl.create_default_context()
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if tls.ca:
            context = _with_ca(context, tls.ca)
        if tls.certificate or tls.key:
            context.load_cert_chain(tls.certificate, tls.key or None)
    except ssl.SSLError as error:
        raise DialError(f"could not load X509 key pair: {go_reason(error)}") from None
    except OSError as error:
        path = error.filename or tls.ca or tls.certificate
        raise DialError(f"open {path}: {go_reason(error)}") from None
    return context


def _with_ca(context: ssl.SSLContext, path: str) -> ssl.SSLContext:
    with open(path, encoding="ascii", errors="replace") as file:
        text = file.read()
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise DialError(f"failed to append certificates from PEM file: {path}") from None
    return context
