"""A resolver's process, and containers that are only network namespaces."""

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import dns.flags
import dns.message
import dns.query
import dns.rdatatype

import lading.dns
from lading.linux import namespaces, netlink

PATIENCE = 5.0
_numbers = itertools.count(1)
T = TypeVar("T")


class Container:
    """A network namespace with a loopback, and a client in it."""

    def __init__(self) -> None:
        self.path = f"/run/ldd-{os.getpid()}-{next(_numbers)}"

        def prepare() -> None:
            with contextlib.closing(netlink.Socket()) as route:
                route.send(netlink.set_link(1))

        namespaces.in_own_thread(lambda: namespaces.create_netns(self.path, prepare))

    def inside(self, work: Callable[[], T]) -> T:
        def enter() -> T:
            namespaces.enter_netns(self.path)
            return work()

        return namespaces.in_own_thread(enter)

    def socket(self, kind: socket.SocketKind = socket.SOCK_DGRAM) -> socket.socket:
        """A socket in the namespace."""
        made = self.inside(lambda: socket.socket(socket.AF_INET, kind))
        made.settimeout(PATIENCE)
        return made

    def ask(self, name: str, kind: str = "A", *, tcp: bool = False, **words: Any) -> dns.message.Message:
        """What 127.0.0.11 says."""
        query = dns.message.make_query(name + ".", kind, **words)
        with self.socket(socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as connection:
            connection.connect(("127.0.0.11", 53))
            if tcp:
                return dns.query.tcp(query, "127.0.0.11", timeout=PATIENCE, sock=connection)
            connection.send(query.to_wire())
            answer = dns.message.from_wire(connection.recv(65535))
        assert query.is_response(answer)
        return answer

    def addresses(self, name: str, kind: str = "A", *, tcp: bool = False) -> list[str]:
        """The data of all answers, in their order."""
        return [str(record) for rrset in self.ask(name, kind, tcp=tcp).answer for record in rrset]

    def remove(self) -> None:
        namespaces.delete_netns(self.path)


class Resolver:
    """A resolver's process and its daemon."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None
        self._daemon: socket.socket | None = None
        self._lines: Iterator[bytes] = iter(())

    def start(self) -> None:
        program = f"{os.path.dirname(lading.dns.__file__)}/__main__.py"
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", program, f"{self.directory}/dns.sock", f"{self.directory}/dns.log"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.process.stdout.read()

    def connect(self) -> None:
        self._daemon = socket.socket(socket.AF_UNIX)
        self._daemon.settimeout(PATIENCE)
        self._daemon.connect(f"{self.directory}/dns.sock")
        self._lines = self._daemon.makefile("rb")

    def leave(self) -> None:
        """The daemon goes away."""
        assert self._daemon is not None
        self._daemon.close()
        self._lines.close()  # type: ignore[attr-defined]

    def tell(self, operation: str, **fields: Any) -> Any:
        assert self._daemon is not None
        self._daemon.sendall(json.dumps({"op": operation, **fields}).encode() + b"\n")
        return json.loads(next(self._lines))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def destroy(self) -> None:
        if self._daemon is not None:
            self.leave()
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Upstream:
    """A name server somewhere: answers each query by `answer`, and remembers who asked what."""

    def __init__(self, made_in: Container | None = None, address: str = "127.0.0.1") -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.answer: Callable[[dns.message.Message], bytes | None] = _one_address
        self.ports: set[int] = set()

        def bind() -> tuple[socket.socket, socket.socket]:
            connections = socket.create_server((address, 0))
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            datagrams.bind(connections.getsockname())
            return datagrams, connections

        self._datagrams, self._connections = bind() if made_in is None else made_in.inside(bind)
        self.server = [*self._datagrams.getsockname()]
        self._threads = [
            threading.Thread(target=self._serve_datagrams, daemon=True),
            threading.Thread(target=self._serve_connections, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def facts(self, *, from_host: bool) -> list[Any]:
        return [self.server[0], from_host, self.server[1]]

    def _reply(self, packet: bytes, protocol: str) -> bytes | None:
        query = dns.message.from_wire(packet)
        question = query.question[0]
        self.asked.append((question.name.to_text(omit_final_dot=True), protocol, query.id))
        return self.answer(query)

    def _serve_datagrams(self) -> None:
        while True:
            try:
                packet, client = self._datagrams.recvfrom(65535)
            except OSError:
                return
            if not packet:
                return
            self.ports.add(client[1])
            answer = self._reply(packet, "udp")
            if answer is not None:
                self._datagrams.sendto(answer, client)

    def _serve_connections(self) -> None:
        while True:
            try:
                connection, _ = self._connections.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError, ValueError):
                connection.settimeout(PATIENCE)
                length = int.from_bytes(connection.recv(2), "big")
                answer = self._reply(connection.recv(length), "tcp")
                if answer is not None:
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def close(self) -> None:
        for each in (self._datagrams, self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(PATIENCE)


def _one_address(query: dns.message.Message) -> bytes:
    return answer_with(query, "203.0.113.7")


def answer_with(query: dns.message.Message, *addresses: str, flags: int = 0) -> bytes:
    """A server's answer of these addresses."""
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA | flags
    name = query.question[0].name
    if query.question[0].rdtype == dns.rdatatype.A and addresses:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", *addresses))
    return answer.to_wire(max_size=65535)


def hexed(*addresses: str) -> list[str]:
    return [ip_address(address).packed.hex() for address in addresses]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
