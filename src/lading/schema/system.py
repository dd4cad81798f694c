"""What an engine and its host are, for `/version` and `/info`."""

from msgspec import Struct, field


class RuntimeFact(Struct, frozen=True):
    """One OCI runtime: where it is and what it is started with."""

    path: str
    arguments: list[str] = field(default_factory=list)
    version: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """Gathered by the daemon when it starts, and again when asked. Sizes are bytes."""

    engine_id: str
    engine_version: str
    python_version: str
    name: str
    kernel_version: str
    operating_system: str
    os_version: str
    architecture: str
    machine: str
    cpus: int
    memory: int
    data_root: str
    cgroup_driver: str
    cgroup_version: int
    cgroup_controllers: frozenset[str]
    security_options: list[str]
    runtimes: dict[str, RuntimeFact]
    default_runtime: str
    init_binary: str
    log_driver: str
    log_drivers: list[str]
    network_drivers: list[str]
    labels: list[str]
    debug: bool
    file_descriptors: int
    tasks: int
    listeners: int
    time_ns: int
    ip_forwarding: bool
    warnings: list[str]
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    cdi_directories: list[str] = []
    mirrors: list[str] = []
    insecure_registries: list[str] = []
    """Names and networks."""
