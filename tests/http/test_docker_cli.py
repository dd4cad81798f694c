"""The docker CLI attached through a hijacked connection: what Go's own TLS makes of our half-closes."""

import asyncio
import json
import os
import re
import socket
import struct
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from tests.engine.engine import docker_cli
from tests.http.conftest import Serve

from lading.http import Request, Response

_FRAME = struct.Struct(">BxxxL")
_INSPECTED = {"Id": "box", "State": {"Running": True}, "Config": {"OpenStdin": True, "StdinOnce": True}}


class Sort:
    """A container named `box` that answers only once its input has ended, then exits with 7."""

    def __init__(self) -> None:
        self._done: asyncio.Event | None = None

    async def __call__(self, request: Request) -> Response | None:
        if self._done is None:
            self._done = asyncio.Event()
        match re.sub(r"^/v[\d.]+", "", request.path):
            case "/_ping":
                return Response(200, b"OK", fields=[("Api-Version", "1.51"), ("Ostype", "linux")])
            case "/containers/box/json":
                return self._json(json.dumps(_INSPECTED).encode())
            case "/containers/box/wait":
                return self._json(self._wait())
            case "/containers/box/attach":
                hijacked = await request.hijack(
                    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
                    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
                )
                end, early = hijacked.take_socket()
                await asyncio.to_thread(self._answer, end, early)
                self._done.set()
                return None
        return Response(404, b'{"message": "not here"}', content_type="application/json")

    @staticmethod
    def _json(body: bytes | AsyncIterator[bytes]) -> Response:
        return Response(200, body, content_type="application/json")

    async def _wait(self) -> AsyncIterator[bytes]:
        assert self._done is not None
        await self._done.wait()
        yield b'{"StatusCode": 7}'

    @staticmethod
    def _answer(end: socket.socket, held: bytes) -> None:
        end.setblocking(True)
        while piece := end.recv(1 << 16):
            held += piece
        with end:
            for start in range(0, len(held), 1 << 15):
                piece = held[start : start + (1 << 15)]
                end.sendall(_FRAME.pack(1, len(piece)) + piece)


def test_output_that_follows_the_end_of_input_reaches_the_cli(serve: Serve, tmp_path: Path) -> None:
    service = serve(Sort())
    address = [f"unix://{service.path}"]
    if service.kind != "unix":
        address = [f"tcp://localhost:{service.port}"]
    if service.kind == "tls":
        names = {"tlscacert": "ca.pem", "tlscert": "client.pem", "tlskey": "client.key"}
        address += [
            "--tlsverify",
            *(f"--{flag}={service.certificates}/{name}" for flag, name in names.items()),
        ]
    data = os.urandom(4 * 1024 * 1024)
    shown = subprocess.run(
        [docker_cli(), "-H", *address, "attach", "box"],
        input=data,
        capture_output=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (7, b"")
    assert shown.stdout == data
