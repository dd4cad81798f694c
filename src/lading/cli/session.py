"""What a command has at hand: the engine it talks to and how to reach it."""

from __future__ import annotations

import posix
import sys

from lading.cli.errors import CommandFailed
from lading.client import DEFAULT_SOCKET, Client, ConnectionFailed, TlsFiles, parse_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.config.file import ConfigFile
    from lading.cli.flags import Given


def environment(name: str) -> str | None:
    """An environment variable, or None where it is not set."""
    value = posix.environ.get(name.encode())
    return None if value is None else value.decode("utf-8", "surrogateescape")


class Session:
    """One run of the command line. The client is made, and the engine found, at first use.

    Where nobody listens at the default address, an administrator's client
    starts the engine, unless `may_start` forbids it.
    """

    def __init__(self, options: Given, *, may_start: bool = True) -> None:
        self._options = options
        self._may_start = may_start
        self._client: Client | None = None
        self._config: ConfigFile | None = None

    @property
    def client(self) -> Client:
        """The engine. Raises ConnectionFailed, BadAddress, CommandFailed."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    @property
    def socket_path(self) -> str:
        """The engine's UNIX socket, or "" where it is reached in another way."""
        return self.client.address.path

    @property
    def config_directory(self) -> str:
        """Where the user's client settings and certificates are."""
        directory: str = self._options["config"]
        named = environment("LADING_CONFIG") or environment("DOCKER_CONFIG")
        return directory or named or f"{environment('HOME') or ''}/.docker"

    @property
    def config(self) -> ConfigFile:
        """The user's settings, read at first use; the user hears of it where they cannot be read."""
        if self._config is None:
            from lading.cli.config.file import ConfigFile

            self._config = ConfigFile(f"{self.config_directory}/config.json")
            self._config.warn()
        return self._config

    @property
    def engine(self) -> str:
        """The address in full, as docker's clients name an engine in their settings. Raises CommandFailed."""
        return self.host() or f"unix://{DEFAULT_SOCKET}"

    def detach_keys(self, given: Given) -> str:
        """Keys that leave a container running: as the command says, else as the settings do."""
        keys: str = given["detach-keys"]
        return keys or self.config.text("detachKeys")

    def format(self, given: Given, member: str) -> str:
        """The template for a list: as the command says, else as that member of the settings does."""
        template: str = given["format"]
        return template or ("" if given.get("quiet") else self.config.text(member))

    def host(self) -> str:
        """The address the user means; "" for the default socket. Raises CommandFailed."""
        hosts: list[str] = self._options["host"]
        if len(hosts) > 1:
            raise CommandFailed("specify only one -H")
        context: str = self._options["context"]
        if hosts:
            if context:
                raise CommandFailed("conflicting options: cannot specify both --host and --context")
            return hosts[0]
        if context and context != "default":
            raise CommandFailed(f'context "{context}": context not found; give the address with -H instead')
        return environment("LADING_HOST") or environment("DOCKER_HOST") or ""

    def _connect(self) -> Client:
        host = self.host()
        tls = self._tls_files()
        client = Client(
            parse_address(host or f"unix://{DEFAULT_SOCKET}", tls is not None),
            tls,
            (environment("DOCKER_API_VERSION") or "").removeprefix("v"),
            _user_agent(),
            self.config.headers(),
        )
        if self._may_start and not host and posix.geteuid() == 0:
            try:
                client.ping()
            except ConnectionFailed as failure:
                if not failure.absent:
                    raise
                from lading.cli.start_engine import start_engine

                start_engine(client)
        return client

    def _tls_files(self) -> TlsFiles | None:
        options = self._options
        verify = "tlsverify" in options and options["tlsverify"]
        if "tlsverify" not in options:
            verify = bool(environment("DOCKER_TLS_VERIFY"))
        if not (verify or options["tls"]):
            return None
        directory = environment("DOCKER_CERT_PATH") or self.config_directory
        return TlsFiles(
            _pem(options, "tlscacert", f"{directory}/ca.pem", needed=verify),
            _pem(options, "tlscert", f"{directory}/cert.pem", needed=False),
            _pem(options, "tlskey", f"{directory}/key.pem", needed=False),
            verify,
        )


def _pem(options: Given, name: str, usual: str, needed: bool) -> str:
    path = str(options[name]) or usual
    try:
        posix.close(posix.open(path, posix.O_RDONLY))
    except OSError as error:
        if options[name] or needed:
            raise CommandFailed(f"could not read --{name} {path}: {error.strerror}") from None
        return ""
    return path


def _user_agent() -> str:
    from lading import __version__

    return f"Lading-Client/{__version__} ({sys.platform})"
