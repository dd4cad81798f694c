"""Who is let in over TLS, and what the others are told."""

import contextlib
import socket
import ssl
import subprocess

import pytest
from tests.http.conftest import Serve
from tests.http.serving import Reader, Service, TlsClient, get

from lading.errors import InvalidParameter
from lading.http import Request, Response, TlsFiles


async def name_of_peer(request: Request) -> Response:
    return Response(200, f"{request.peer.common_name} {request.peer.address.rpartition(':')[0]}".encode())


def _try(service: Service, context: ssl.SSLContext) -> bytes:
    client = TlsClient(service.connect_socket(), context)
    client.send(get("/"))
    return Reader(client).answer().body


def test_a_client_with_a_certificate_is_known_by_its_name(serve_tls: Serve) -> None:
    assert serve_tls(name_of_peer).ask(get("/")).body == b"client 127.0.0.1"


def test_strangers_are_not_let_in(serve_tls: Serve) -> None:
    service = serve_tls(name_of_peer)
    for name in (None, "stranger"):
        with pytest.raises((OSError, AssertionError)):
            _try(service, service.client_context(name))
    assert service.ask(get("/")).status == 200


def test_old_protocols_are_refused(serve_tls: Serve) -> None:
    service = serve_tls(name_of_peer)
    context = service.client_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        _try(service, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_current_protocols_are_spoken(serve_tls: Serve, version: ssl.TLSVersion) -> None:
    service = serve_tls(name_of_peer)
    context = service.client_context()
    context.minimum_version = context.maximum_version = version
    assert _try(service, context) == b"client 127.0.0.1"


def test_openssls_own_client_is_served(serve_tls: Serve) -> None:
    service = serve_tls(name_of_peer)
    at = service.certificates
    answer = subprocess.run(
        [
            "openssl", "s_client", "-quiet", "-verify_return_error", "-connect", f"127.0.0.1:{service.port}",
            "-CAfile", f"{at}/ca.pem", "-cert", f"{at}/client.pem", "-key", f"{at}/client.key",
        ],
        input=get("/", "Connection: close"),
        capture_output=True,
        timeout=30,
        check=False,
    )  # fmt: skip
    assert answer.stdout.endswith(b"client 127.0.0.1")


def test_a_plain_request_is_told_to_use_tls(serve_tls: Serve) -> None:
    connection = serve_tls(name_of_peer).connect_socket()
    connection.sendall(get("/_ping"))
    answer = b""
    while piece := connection.recv(4096):
        answer += piece
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")


def test_a_silent_client_keeps_nobody_waiting(serve_tls: Serve) -> None:
    service = serve_tls(name_of_peer)
    with service.connect_socket() as silent:
        silent.sendall(b"\x16\x03\x01")
        assert service.ask(get("/")).status == 200


def test_a_connection_cut_without_goodbye_ends_the_request(serve_tls: Serve) -> None:
    service = serve_tls(name_of_peer)
    client, _ = service.connect()
    assert isinstance(client, TlsClient)
    client.send(b"GET / HTT")
    client.socket.shutdown(socket.SHUT_WR)
    # Newer OpenSSLs take it ill that nobody says goodbye to the impolite.
    with contextlib.suppress(ssl.SSLEOFError):
        assert client.receive() == b""


def test_unusable_files_are_named(serve_tls: Serve) -> None:
    service = serve_tls(name_of_peer)
    at = service.certificates
    for files in (
        TlsFiles(f"{at}/server.pem", f"{at}/client.key", f"{at}/ca.pem", True),
        TlsFiles(f"{at}/server.pem", f"{at}/locked.key", f"{at}/ca.pem", True),
        TlsFiles(f"{at}/server.pem", f"{at}/server.key", f"{at}/absent.pem", True),
        TlsFiles(f"{at}/names", f"{at}/server.key", f"{at}/ca.pem", False),
    ):
        with pytest.raises(InvalidParameter, match="cannot load the TLS files") as raised:
            files.context()
        assert files.key in raised.value.message
