"""Container bodies: what a client asks for, with Docker's field names and defaults.

Source: Engine API 1.51, definitions ContainerConfig, HostConfig,
NetworkingConfig. `None` stands for JSON null, which Docker's inspect shows for
lists and maps nobody set.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

Ports = dict[str, dict[str, Any]]


class Wire(Struct, rename="pascal", kw_only=True):
    """A body whose keys are the field names in PascalCase, where no name is given."""


class HealthConfig(Wire, omit_defaults=True):
    """How to tell that a container works. Durations are nanoseconds; 0 inherits."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class ContainerConfig(Wire):
    """The portable part of a container: what could be said in an image."""

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: Ports | None = None
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: list[str] | None = None
    cmd: list[str] | str | None = None
    healthcheck: HealthConfig | None = None
    args_escaped: bool = False
    image: str = ""
    volumes: dict[str, dict[str, Any]] | None = None
    working_dir: str = ""
    entrypoint: list[str] | str | None = None
    network_disabled: bool = False
    mac_address: str = ""
    on_build: list[str] | None = None
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    shell: list[str] | None = None


class RestartPolicy(Wire):
    """When the engine starts a container again by itself."""

    name: str = ""
    maximum_retry_count: int = 0


class LogConfig(Wire):
    """Where a container's output goes; an empty type means the daemon's default."""

    type: str = ""
    config: dict[str, str] | None = None


class PortBinding(Wire):
    """A host address and port ("" for any, or a range "8000-8010") of a published port."""

    host_ip: str = ""
    host_port: str = ""


class DeviceMapping(Wire):
    """A host device made available inside."""

    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""


class DeviceRequest(Wire):
    """Devices asked of a device driver (GPUs, CDI)."""

    driver: str = ""
    count: int = 0
    device_ids: list[str] | None = field(default=None, name="DeviceIDs")
    capabilities: list[list[str]] | None = None
    options: dict[str, str] | None = None


class WeightDevice(Wire):
    """A relative block I/O weight (10 to 1000) for one device."""

    path: str = ""
    weight: int = 0


class ThrottleDevice(Wire):
    """A rate limit for one device: bytes per second or operations per second."""

    path: str = ""
    rate: int = 0


class Ulimit(Wire):
    """A resource limit, as `ulimit` names it."""

    name: str = ""
    soft: int = 0
    hard: int = 0


class BindOptions(Wire, omit_defaults=True):
    """Options of a bind mount."""

    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    read_only_force_recursive: bool = False


class DriverConfig(Wire, omit_defaults=True):
    """The volume driver a mount asks for."""

    name: str = ""
    options: dict[str, str] | None = None


class VolumeOptions(Wire, omit_defaults=True):
    """Options of a volume mount."""

    no_copy: bool = False
    labels: dict[str, str] | None = None
    driver_config: DriverConfig | None = None
    subpath: str = ""


class TmpfsOptions(Wire, omit_defaults=True):
    """Options of a tmpfs mount; the size is in bytes, the mode a permission number."""

    size_bytes: int = 0
    mode: int = 0
    options: list[list[str]] | None = None


class ImageOptions(Wire, omit_defaults=True):
    """Options of an image mount."""

    subpath: str = ""


class Mount(Wire, omit_defaults=True):
    """One `--mount`."""

    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False
    consistency: str = ""
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    image_options: ImageOptions | None = None
    tmpfs_options: TmpfsOptions | None = None


class HostConfig(Wire):
    """The part of a container that depends on the host it runs on."""

    binds: list[str] | None = None
    container_id_file: str = field(default="", name="ContainerIDFile")
    log_config: LogConfig = field(default_factory=LogConfig)
    network_mode: str = ""
    port_bindings: dict[str, list[PortBinding] | None] | None = None
    restart_policy: RestartPolicy = field(default_factory=RestartPolicy)
    auto_remove: bool = False
    volume_driver: str = ""
    volumes_from: list[str] | None = None
    console_size: list[int] | None = None
    annotations: dict[str, str] | None = None
    cap_add: list[str] | None = None
    cap_drop: list[str] | None = None
    cgroupns_mode: str = ""
    dns: list[str] | None = None
    dns_options: list[str] | None = None
    dns_search: list[str] | None = None
    extra_hosts: list[str] | None = None
    group_add: list[str] | None = None
    ipc_mode: str = ""
    cgroup: str = ""
    links: list[str] | None = None
    oom_score_adj: int = 0
    pid_mode: str = ""
    privileged: bool = False
    publish_all_ports: bool = False
    readonly_rootfs: bool = False
    security_opt: list[str] | None = None
    storage_opt: dict[str, str] | None = None
    tmpfs: dict[str, str] | None = None
    uts_mode: str = field(default="", name="UTSMode")
    userns_mode: str = ""
    shm_size: int = 0
    sysctls: dict[str, str] | None = None
    runtime: str = ""
    isolation: str = ""
    cpu_shares: int = 0
    memory: int = 0
    nano_cpus: int = 0
    cgroup_parent: str = ""
    blkio_weight: int = 0
    blkio_weight_device: list[WeightDevice] | None = None
    blkio_device_read_bps: list[ThrottleDevice] | None = None
    blkio_device_write_bps: list[ThrottleDevice] | None = None
    blkio_device_read_i_ops: list[ThrottleDevice] | None = field(default=None, name="BlkioDeviceReadIOps")
    blkio_device_write_i_ops: list[ThrottleDevice] | None = field(default=None, name="BlkioDeviceWriteIOps")
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_realtime_period: int = 0
    cpu_realtime_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    devices: list[DeviceMapping] | None = None
    device_cgroup_rules: list[str] | None = None
    device_requests: list[DeviceRequest] | None = None
    kernel_memory_tcp: int = field(default=0, name="KernelMemoryTCP")
    memory_reservation: int = 0
    memory_swap: int = 0
    memory_swappiness: int | None = None
    oom_kill_disable: bool | None = None
    pids_limit: int | None = None
    ulimits: list[Ulimit] | None = None
    cpu_count: int = 0
    cpu_percent: int = 0
    io_maximum_i_ops: int = field(default=0, name="IOMaximumIOps")
    io_maximum_bandwidth: int = field(default=0, name="IOMaximumBandwidth")
    mounts: list[Mount] | None = None
    masked_paths: list[str] | None = None
    readonly_paths: list[str] | None = None
    init: bool | None = None


class PublishedPort(Wire):
    """A port of a container ("80/tcp") and where on the host it is to be, or is, published.

    Without a protocol in `port`, `protocol` says it. Where ports are taken
    back, what is empty means any.
    """

    port: str = ""
    protocol: str = ""
    host_ip: str = ""
    host_port: str = ""


class LiveChanges(Wire):
    """What can be changed of a container beyond Docker's API; mounts go by where they are inside."""

    publish_add: list[PublishedPort] | None = None
    publish_remove: list[PublishedPort] | None = None
    mount_add: list[Mount] | None = None
    mount_remove: list[str] | None = None


class UpdateBody(HostConfig):
    """The body of `POST /containers/{id}/update`: the fields of a HostConfig that can change, and ours."""

    lading: LiveChanges | None = None


class EndpointIPAMConfig(Wire, omit_defaults=True):
    """Addresses a container asks for on a network."""

    ipv4_address: str = field(default="", name="IPv4Address")
    ipv6_address: str = field(default="", name="IPv6Address")
    link_local_ips: list[str] | None = field(default=None, name="LinkLocalIPs")


class EndpointSettings(Wire):
    """A container's place on one network: what was asked for, and what it got."""

    ipam_config: EndpointIPAMConfig | None = field(default=None, name="IPAMConfig")
    links: list[str] | None = None
    aliases: list[str] | None = None
    mac_address: str = ""
    driver_opts: dict[str, str] | None = None
    gw_priority: int = 0
    network_id: str = field(default="", name="NetworkID")
    endpoint_id: str = field(default="", name="EndpointID")
    gateway: str = ""
    ip_address: str = field(default="", name="IPAddress")
    ip_prefix_len: int = field(default=0, name="IPPrefixLen")
    ipv6_gateway: str = field(default="", name="IPv6Gateway")
    global_ipv6_address: str = field(default="", name="GlobalIPv6Address")
    global_ipv6_prefix_len: int = field(default=0, name="GlobalIPv6PrefixLen")
    dns_names: list[str] | None = field(default=None, name="DNSNames")


class NetworkingConfig(Wire):
    """The networks a container is to join when created."""

    endpoints_config: dict[str, EndpointSettings | None] | None = None


class CreateBody(ContainerConfig):
    """The body of `POST /containers/create`."""

    host_config: HostConfig | None = None
    networking_config: NetworkingConfig | None = None


class ExecConfig(Wire):
    """The body of `POST /containers/{id}/exec`."""

    user: str = ""
    privileged: bool = False
    tty: bool = False
    console_size: list[int] | None = None
    attach_stdin: bool = False
    attach_stderr: bool = False
    attach_stdout: bool = False
    detach_keys: str = ""
    env: list[str] | None = None
    working_dir: str = ""
    cmd: list[str] | None = None


class ExecStartBody(Wire):
    """The body of `POST /exec/{id}/start`."""

    detach: bool = False
    tty: bool | None = None
    console_size: list[int] | None = None


def as_list(words: list[str] | str | None) -> list[str] | None:
    """Commands may come as one string; it is then the only word."""
    return [words] if isinstance(words, str) else words


def to_wire(value: object) -> Any:
    """Plain JSON values from a body, for views that add to it."""
    return msgspec.to_builtins(value)
