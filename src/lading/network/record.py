"""Networks, endpoints and sandboxes, as this room keeps them and as others see them."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from msgspec import Struct, field

from lading.network.ports import Lease
from lading.schema.container import EndpointSettings, PortBinding, Ports
from lading.schema.network import IPAMConfig

PREDEFINED = ("bridge", "host", "none")

PublishedPorts = dict[str, list[dict[str, str]] | None]


class NetworkRecord(Struct, kw_only=True):
    """A network. Without a subnet it gives out no addresses."""

    id: str
    name: str
    driver: str
    created_ns: int
    address: str = ""
    pool: str = ""
    auxiliary: dict[str, str] = field(default_factory=dict)
    subnet_asked: bool = False
    """Whether the user chose the subnet; only then may containers choose addresses."""
    internal: bool = False
    attachable: bool = False
    ipam_options: dict[str, str] | None = None
    config_only: bool = False
    config_from: str = ""
    configs: list[IPAMConfig] = field(default_factory=list)
    """What a network that only lends its configuration was given."""
    link: str = ""
    """The bridge of a user-defined network, or the parent of a macvlan."""
    link_found: bool = False
    """Whether that was there before the network; then it stays when the network goes."""
    options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def predefined(self) -> bool:
        return self.name in PREDEFINED

    @property
    def interface(self) -> IPv4Interface:
        """The gateway's address and its subnet."""
        return IPv4Interface(self.address)

    @property
    def range(self) -> IPv4Network:
        """Where containers' addresses come from."""
        return IPv4Network(self.pool) if self.pool else self.interface.network


class EndpointRecord(Struct, kw_only=True):
    """A container's place on one network."""

    id: str
    container_id: str
    container_name: str
    network_id: str
    network_name: str
    sandbox_id: str = ""
    netns: str = ""
    link: str = ""
    address: str = ""
    gateway: str = ""
    mac: str = ""
    asked: EndpointSettings = field(default_factory=EndpointSettings)
    exposed: list[str] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)
    interface: str = ""
    """Its name inside."""
    leads_out: bool = True
    """Whether the container's default route is by this network."""
    names: list[str] = field(default_factory=list)
    """What it is called there; empty where names are not resolved."""
    dns: list[str] = field(default_factory=list)
    dns_options: list[str] = field(default_factory=list)
    """Servers and resolv.conf's options asked for, instead of the host's."""

    @property
    def ip(self) -> IPv4Address:
        # Eight times as fast as by way of an interface, and asked for all endpoints at each change of names.
        return IPv4Address(self.address.partition("/")[0])


class ConnectRequest(Struct, kw_only=True):
    """What a starting container wants of its networks.

    `mode` is a network's name or ID, `host` or `none`; where `networks` is given, it
    has all of them instead. `sysctls` are applied
    inside the sandbox; those of other subsystems are left alone.
    """

    container_id: str
    container_name: str = ""
    mode: str = "bridge"
    hostname: str = ""
    domainname: str = ""
    settings: EndpointSettings | None = None
    networks: dict[str, EndpointSettings] | None = None
    port_bindings: dict[str, list[PortBinding] | None] | None = None
    exposed_ports: Ports | None = None
    publish_all: bool = False
    sysctls: dict[str, str] | None = None
    dns: list[str] | None = None
    dns_options: list[str] | None = None


class Sandbox(Struct, kw_only=True):
    """Where a container's processes find their network.

    An empty `netns_path` is the host's own namespace. `ports` has every
    exposed port, with its host side where published. `network_name` and `endpoint`
    are those of the network that leads out. `resolver` answers for the names of
    user-defined networks. `host_gateway` is what
    `host-gateway` stands for; `host_hosts` and `host_resolv_conf` are the
    host's files, the first only where they are shared as they are, the second found at
    `host_resolv_file`.
    """

    sandbox_id: str = ""
    netns_path: str = ""
    network_name: str = ""
    endpoint: EndpointSettings = field(default_factory=EndpointSettings)
    networks: dict[str, EndpointSettings] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    resolver: str = ""
    ports: PublishedPorts = field(default_factory=dict)
    gateway: str = ""
    address: str = ""
    host_gateway: str = ""
    host_hosts: str | None = None
    host_resolv_conf: str = ""
    host_resolv_file: str = ""
