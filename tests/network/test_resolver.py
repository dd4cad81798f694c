"""The daemon's side of the resolver: who starts it, finds it again, replaces it, and lets it go."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from tests.dns.resolver import Container, hexed

from lading.dns import build
from lading.network import resolver
from lading.network.resolver import Resolver
from lading.network.telling import Told

_NOBODY: Told = {"networks": {}, "askers": {}}


class _Host:
    """A directory for the resolver, one container, and what is to be told."""

    def __init__(self) -> None:
        self.directory = mkdtemp(prefix="ldr-", dir="/run")
        self.container = Container()
        self.told = _NOBODY

    def name(self, name: str) -> None:
        """The container's network knows this name alone."""
        self.told = {
            "networks": {"n": {"name": "n", "names": {name: hexed("10.0.0.2")}, "pointers": {}}},
            "askers": {"c": {"netns": self.container.path, "networks": ["n"]}},
        }

    def resolver(self) -> Resolver:
        return Resolver(self.directory, lambda: self.told)

    @property
    def pid(self) -> int:
        """The process behind the socket; 0 where there is none."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(f"{self.directory}/dns.sock")
            except OSError:
                return 0
            return int.from_bytes(
                probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder
            )

    async def addresses(self, name: str) -> list[str]:
        return await asyncio.to_thread(self.container.addresses, name)


@pytest.fixture
def host() -> Iterator[_Host]:
    made = _Host()
    yield made
    if pid := made.pid:
        os.kill(pid, signal.SIGKILL)
    made.container.remove()
    shutil.rmtree(made.directory)


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


def _run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_it_is_there_only_where_it_is_needed(host: _Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_LINGER", 0.05)

    async def scenario() -> None:
        side = host.resolver()
        side.open()
        await side.settled()
        assert host.pid == 0
        host.name("web")
        side.changed()
        await side.settled()
        assert await host.addresses("web") == ["10.0.0.2"]
        pid = host.pid
        host.told = _NOBODY
        side.changed()
        await side.settled()
        await _until(lambda: not Path(f"/proc/{pid}").exists())
        host.name("web")
        side.changed()
        await side.settled()
        assert await host.addresses("web") == ["10.0.0.2"], "it comes again"
        await side.close()

    _run(scenario)


def test_the_next_daemon_finds_it(host: _Host) -> None:
    async def scenario() -> None:
        host.name("web")
        first = host.resolver()
        first.open()
        await first.settled()
        pid = host.pid
        await first.close()
        assert await host.addresses("web") == ["10.0.0.2"], "without any daemon"
        host.name("web2")
        second = host.resolver()
        second.open()
        await second.settled()
        assert host.pid == pid
        assert await host.addresses("web2") == ["10.0.0.2"]
        assert await host.addresses("web") == []
        await second.close()

    _run(scenario)


def test_an_older_one_is_replaced(host: _Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        host.name("web")
        first = host.resolver()
        first.open()
        await first.settled()
        pid = host.pid
        await first.close()
        builds = iter(["newer"])
        present = build()
        monkeypatch.setattr(resolver, "build", lambda: next(builds, present))
        second = host.resolver()
        second.open()
        await second.settled()
        assert host.pid not in (0, pid)
        assert await host.addresses("web") == ["10.0.0.2"]
        await second.close()

    _run(scenario)


def test_a_dead_one_is_replaced_whatever_it_was_doing(host: _Host) -> None:
    async def scenario() -> None:
        host.name("web")
        side = host.resolver()
        side.open()
        await side.settled()
        for turn in range(5):
            pid = host.pid
            host.name(f"web{turn}")
            # At once before, amid or after the telling.
            side.changed()
            await asyncio.sleep(turn / 1000)
            os.kill(pid, signal.SIGKILL)
            await _until(lambda: host.pid not in (0, pid))  # noqa: B023
            side.changed()
            await side.settled()
            assert await host.addresses(f"web{turn}") == ["10.0.0.2"]
        await side.close()

    _run(scenario)


def test_one_that_does_not_answer_holds_nobody_up(host: _Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_PATIENCE", 0.3)

    async def scenario() -> None:
        host.name("web")
        side = host.resolver()
        side.open()
        await side.settled()
        pid = host.pid
        os.kill(pid, signal.SIGSTOP)
        host.name("web2")
        side.changed()
        await side.settled()
        os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(15):
            while await host.addresses("web2") != ["10.0.0.2"]:
                await asyncio.sleep(0.05)
        await side.close()

    _run(scenario)
