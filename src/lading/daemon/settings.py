"""What the daemon can be told, by flag and by configuration file.

One table names every option under dockerd's flag name and its key in
`daemon.json`; both readers and the help text follow from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lading.errors import InvalidParameter
from lading.paths import DEFAULT_CONFIG_FILE, DEFAULT_DATA_ROOT, DEFAULT_EXEC_ROOT, DEFAULT_PIDFILE
from lading.units import parse_size

_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")
LOG_FORMATS = ("text", "json")


def boolean(text: str) -> bool:
    """A flag's value as Go reads booleans. Raises ValueError."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def address_pool(text: str) -> tuple[str, int]:
    """Base and prefix length of "base=10.10.0.0/16,size=24". Raises ValueError."""
    fields = dict(field.partition("=")[::2] for field in text.split(","))
    if fields.keys() != {"base", "size"}:
        raise ValueError(f"invalid default-address-pool {text!r}: base=CIDR,size=LENGTH is needed")
    return fields["base"], int(fields["size"])


@dataclass(frozen=True, slots=True)
class Option:
    """One directive: its flag, its key in the file, how text becomes its value."""

    flag: str
    help: str
    read: Callable[[str], Any] = str
    key: str = ""
    short: str = ""
    repeated: bool = False
    mapping: bool = False
    metavar: str = ""

    @property
    def attribute(self) -> str:
        return self.flag.replace("-", "_")

    @property
    def file_key(self) -> str:
        return self.key or self.flag


OPTIONS = (
    Option(
        "host",
        "Socket to listen on: unix://PATH, tcp://HOST:PORT or fd://",
        short="H",
        key="hosts",
        repeated=True,
    ),
    Option("data-root", "Directory of persistent state"),
    Option("exec-root", "Directory of run-time state"),
    Option("pidfile", "Path of the daemon's PID file", short="p"),
    Option("debug", "Log debugging messages", boolean, short="D"),
    Option("log-level", "Least severe level to log: debug, info, warn, error or fatal", short="l"),
    Option("log-format", "Format of the daemon's log: text or json"),
    Option("group", "Group that owns the UNIX socket", short="G"),
    Option("tls", "Use TLS on TCP sockets; --tls=false allows TCP without it", boolean),
    Option(
        "tlsverify", "Use TLS and demand a client certificate; --tls --tlsverify=false demands none", boolean
    ),
    Option("tlscacert", "Trust client certificates signed by this CA"),
    Option("tlscert", "TLS certificate file"),
    Option("tlskey", "TLS key file"),
    Option("default-runtime", "OCI runtime for containers that name none"),
    Option("add-runtime", "Register an OCI runtime: NAME=PATH", key="runtimes", repeated=True, mapping=True),
    Option("bridge", "Name of the default bridge", short="b"),
    Option("bip", "Address and prefix length of the default bridge"),
    Option("fixed-cidr", "Subnet of the default bridge from which containers get addresses"),
    Option(
        "default-address-pool",
        "Address pool of user-defined networks: base=CIDR,size=PREFIX_LENGTH",
        address_pool,
        key="default-address-pools",
        repeated=True,
    ),
    Option("mtu", "MTU of the default bridge's containers; 0 for the kernel's default", int),
    Option("icc", "Let containers of the default bridge reach each other", boolean),
    Option("ip-masq", "Masquerade what containers of the default bridge send out", boolean),
    Option("dns", "DNS server for containers", repeated=True),
    Option("dns-search", "DNS search domain for containers", repeated=True),
    Option("dns-opt", "DNS option for containers", key="dns-opts", repeated=True),
    Option("log-driver", "Log driver for containers that name none"),
    Option(
        "log-opt", "Option of the default log driver: KEY=VALUE", key="log-opts", repeated=True, mapping=True
    ),
    Option("label", "Label of this daemon: KEY=VALUE", key="labels", repeated=True),
    Option("registry-mirror", "Preferred mirror of Docker Hub: a URL", key="registry-mirrors", repeated=True),
    Option(
        "insecure-registry",
        "Registry that may be asked without TLS or with any certificate: HOST[:PORT] or a network",
        key="insecure-registries",
        repeated=True,
    ),
    Option(
        "allow-nondistributable-artifacts",
        "Accepted: foreign layers that are here are always pushed",
        repeated=True,
    ),
    Option("max-concurrent-downloads", "Layers that are downloaded at a time, over all pulls", int),
    Option("max-concurrent-uploads", "Layers that are uploaded at a time, over all pushes", int),
    Option("max-download-attempts", "How often a download is tried at most", int),
    Option("max-layer-size", "What the files of a layer may have together: a size", parse_size),
    Option("max-layer-entries", "Files and directories that a layer may have", int),
    Option("http-proxy", "HTTP proxy for what the daemon asks registries"),
    Option("https-proxy", "HTTPS proxy for what the daemon asks registries"),
    Option("no-proxy", "Comma-separated hosts, domains and networks that are asked without a proxy"),
    Option("init", "Run an init in containers by default", boolean),
    Option("init-path", "Path of the init binary"),
    Option("cgroup-parent", "Parent cgroup of all containers"),
    Option("default-shm-size", "Size of /dev/shm in containers", parse_size),
    Option("no-new-privileges", "Set no-new-privileges by default", boolean),
    Option("seccomp-profile", "Path of the default seccomp profile, 'builtin' or 'unconfined'"),
    Option("cdi-spec-dir", "Directory with CDI specifications", key="cdi-spec-dirs", repeated=True),
    Option("userns-remap", "Not supported: containers have the user IDs of the host"),
    Option("shutdown-timeout", "Seconds containers get to stop when the daemon is told to stop them", int),
    Option("live-restore", "Accepted: containers always live on while the daemon is away", boolean),
)

RELOADED = (
    "debug",
    "log_level",
    "label",
    "registry_mirror",
    "insecure_registry",
    "max_download_attempts",
    "max_concurrent_downloads",
    "max_concurrent_uploads",
)
"""What SIGHUP changes; the rest needs a restart."""


@dataclass(slots=True)
class Settings:
    """The daemon's configuration, as flags and file leave it."""

    host: list[str] = field(default_factory=list)
    data_root: str = DEFAULT_DATA_ROOT
    exec_root: str = DEFAULT_EXEC_ROOT
    pidfile: str = DEFAULT_PIDFILE
    debug: bool = False
    log_level: str = "info"
    log_format: str = "text"
    group: str = ""
    tls: bool | None = None
    tlsverify: bool | None = None
    tlscacert: str = "/etc/lading/ca.pem"
    tlscert: str = "/etc/lading/cert.pem"
    tlskey: str = "/etc/lading/key.pem"
    default_runtime: str = ""
    add_runtime: dict[str, Any] = field(default_factory=dict)
    bridge: str = "lading0"
    bip: str = ""
    fixed_cidr: str = ""
    default_address_pool: list[tuple[str, int]] = field(default_factory=list)
    mtu: int = 0
    icc: bool = True
    ip_masq: bool = True
    dns: list[str] = field(default_factory=list)
    dns_search: list[str] = field(default_factory=list)
    dns_opt: list[str] = field(default_factory=list)
    log_driver: str = "json-file"
    log_opt: dict[str, str] = field(default_factory=dict)
    label: list[str] = field(default_factory=list)
    registry_mirror: list[str] = field(default_factory=list)
    insecure_registry: list[str] = field(default_factory=list)
    max_concurrent_downloads: int = 3
    max_concurrent_uploads: int = 5
    max_download_attempts: int = 5
    max_layer_size: int = 1 << 42
    max_layer_entries: int = 10_000_000
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    init: bool = False
    init_path: str = ""
    cgroup_parent: str = ""
    default_shm_size: int = 64 * 1024 * 1024
    no_new_privileges: bool = False
    seccomp_profile: str = "builtin"
    cdi_spec_dir: list[str] = field(default_factory=lambda: ["/etc/cdi", "/var/run/cdi"])
    userns_remap: str = ""
    shutdown_timeout: int = 15
    live_restore: bool = True
    config_file: str = DEFAULT_CONFIG_FILE

    @property
    def use_tls(self) -> bool:
        """Whether connections over TCP are encrypted."""
        return bool(self.tls) or bool(self.tlsverify)

    @property
    def open_to_strangers(self) -> bool:
        """Whether it was said that whoever reaches a TCP port may be root here."""
        asked_for = self.tlsverify is False if self.tls else self.tls is False
        return asked_for and not self.tlsverify


def combine(flags: Mapping[str, Any], file: Mapping[str, Any], path: str) -> Settings:
    """Settings from what the command line set and what the file says.

    Raises InvalidParameter where the file has an unknown directive or one that
    was also given as a flag.
    """
    by_key = {option.file_key: option for option in OPTIONS}
    file = _without_groups(file, path)
    if unknown := [key for key in file if key not in by_key]:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: the following directives don't match "
            f"any configuration option: {', '.join(unknown)}"
        )
    from_file = {by_key[key].attribute: _from_file(by_key[key], value, path) for key, value in file.items()}
    if both := [name for name in from_file if name in flags]:
        shown = ", ".join(
            f"{name.replace('_', '-')}: (from flag: {flags[name]}, from file: {from_file[name]})"
            for name in both
        )
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: the following directives are specified "
            f"both as a flag and in the configuration file: {shown}"
        )
    known = {entry.name for entry in fields(Settings)}
    return Settings(**{name: value for name, value in {**from_file, **flags}.items() if name in known})


def _without_groups(file: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The file with the members of `proxies` at the top, where the flags have them.

    Raises InvalidParameter.
    """
    proxies = file.get("proxies", {})
    if not isinstance(proxies, dict):
        raise InvalidParameter(f"unable to configure the daemon with file {path}: proxies must be an object")
    return {**{key: value for key, value in file.items() if key != "proxies"}, **proxies}


def _from_file(option: Option, value: Any, path: str) -> Any:
    if option.read is parse_size and isinstance(value, str):
        return parse_size(value)
    if option.read is address_pool:
        return _pools(value, path)
    wanted = _type_of(option)
    entries = value.values() if isinstance(value, dict) and option.flag != "add-runtime" else value
    # Not isinstance: a truth value is no number.
    if type(value) is not wanted or (
        wanted in (list, dict) and any(type(entry) is not str for entry in entries)
    ):
        of_strings = " of strings" if wanted in (list, dict) else ""
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: "
            f"{option.file_key} must be of type {wanted.__name__}{of_strings}"
        )
    return value


def _pools(value: Any, path: str) -> list[tuple[str, int]]:
    entries = value if isinstance(value, list) else [None]
    found = []
    for entry in entries:
        base, size = (entry.get("base"), entry.get("size")) if isinstance(entry, dict) else (None, None)
        if not isinstance(base, str) or type(size) is not int:
            raise InvalidParameter(
                f"unable to configure the daemon with file {path}: default-address-pools must be a list of "
                '{"base": CIDR, "size": PREFIX_LENGTH}'
            )
        found.append((base, size))
    return found


def _type_of(option: Option) -> type:
    if option.mapping:
        return dict
    if option.repeated:
        return list
    if option.read is boolean:
        return bool
    return int if option.read in (int, parse_size) else str
