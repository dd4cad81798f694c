"""ladingd from its first to its last moment."""

import asyncio
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Sequence

from lading import __version__
from lading.aio.tasks import Background
from lading.daemon import journal, memory
from lading.daemon.addresses import Address, TcpAddress, UnixAddress, parse_address
from lading.daemon.command_line import parse
from lading.daemon.lock import PidFile, RootLock
from lading.daemon.settings import RELOADED, Settings
from lading.daemon.systemd import Supervisor
from lading.daemon.wiring import Engine, wire
from lading.errors import InvalidParameter, LadingError
from lading.http import Server, TlsFiles, listen_tcp, listen_unix
from lading.paths import DEFAULT_SOCKET, Layout

_log = logging.getLogger(__name__)

GRACE = 2.0
"""Seconds requests under way get when the daemon stops."""


def main(words: Sequence[str] | None = None) -> None:
    """The console script; exits 1 with one line for whatever keeps the daemon from running."""
    words = sys.argv[1:] if words is None else words
    try:
        settings, only_validate = parse(words)
        addresses = _addresses(settings)
        if only_validate:
            sys.stdout.write("configuration OK\n")
            return
        journal.set_up("debug" if settings.debug else settings.log_level, settings.log_format)
        memory.share_one_heap()
        asyncio.run(_run(words, settings, addresses))
    except LadingError as error:
        sys.stderr.write(f"ladingd: {error.message}\n")
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"ladingd: {error.strerror}: {error.filename}\n")
        sys.exit(1)


def _addresses(settings: Settings) -> list[Address]:
    hosts = settings.host or [f"unix://{DEFAULT_SOCKET}"]
    addresses = [parse_address(host, tls=settings.use_tls) for host in hosts]
    for address in addresses:
        if isinstance(address, TcpAddress):
            _refuse_strangers(settings, str(address))
    return addresses


def _refuse_strangers(settings: Settings, where: str) -> None:
    """Raises InvalidParameter where clients would be let in unknown and nobody said that they may be."""
    if settings.tlsverify or settings.open_to_strangers:
        return
    lacking, word = "without TLS", "--tls=false"
    if settings.use_tls:
        lacking, word = "to clients without a certificate", "--tls --tlsverify=false"
    raise InvalidParameter(
        f"refusing to serve the API on {where} {lacking}: whoever reaches it is root on this machine; "
        f"use --tlsverify, or {word} if you mean it"
    )


async def _run(words: Sequence[str], settings: Settings, addresses: Sequence[Address]) -> None:
    layout = Layout(settings.data_root, settings.exec_root)
    layout.make()
    lock = RootLock(layout)
    pid_file = PidFile(settings.pidfile)
    try:
        await _serve(words, settings, addresses)
    finally:
        pid_file.remove()
        lock.release()


async def _serve(words: Sequence[str], settings: Settings, addresses: Sequence[Address]) -> None:
    supervisor = Supervisor(addresses)
    for inherited, listeners in supervisor.sockets.items():
        if any(listener.family != socket.AF_UNIX for listener in listeners):
            _refuse_strangers(settings, str(inherited))
    context = _tls(settings) if settings.use_tls else None
    engine = wire(settings)
    server = Server(engine.handler)
    stopping = _on_signals(words, settings, engine)
    try:
        await engine.open()
        for address in addresses:
            for listener in _listeners(address, settings, supervisor):
                secure = context if listener.family != socket.AF_UNIX else None
                await server.serve(listener, secure, remove=isinstance(address, UnixAddress))
        memory.settle()
        supervisor.notify("READY=1")
        _log.info("lading %s serves the API on %s", __version__, ", ".join(map(str, addresses)))
        await stopping.wait()
        supervisor.notify("STOPPING=1")
        _log.info("stopping; containers go on")
    finally:
        await server.close(GRACE)
        await engine.close()


def _listeners(address: Address, settings: Settings, supervisor: Supervisor) -> list[socket.socket]:
    if isinstance(address, UnixAddress):
        return [listen_unix(address.path, settings.group)]
    if isinstance(address, TcpAddress):
        return listen_tcp(address.host, address.port)
    return supervisor.sockets[address]


def _tls(settings: Settings) -> ssl.SSLContext:
    files = TlsFiles(settings.tlscert, settings.tlskey, settings.tlscacert, bool(settings.tlsverify))
    return files.context()


def _on_signals(words: Sequence[str], settings: Settings, engine: Engine) -> asyncio.Event:
    """SIGTERM and SIGINT stop; SIGHUP reads the configuration file again."""

    def reload() -> None:
        background.spawn(_reload(words, settings, engine), "reload")

    background = Background()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return stopping


async def _reload(words: Sequence[str], settings: Settings, engine: Engine) -> None:
    try:
        fresh, _ = parse(words)
    except LadingError as error:
        _log.error("reloading failed, the settings stay as they are: %s", error.message)
        return
    for name in RELOADED:
        setattr(settings, name, getattr(fresh, name))
    journal.set_up("debug" if settings.debug else settings.log_level, settings.log_format)
    await engine.reload(settings)
    _log.info("reloaded %s", settings.config_file)
