"""What `/info` and `/version` say of this engine and its host."""

import asyncio
import os
import platform
import socket
from collections.abc import Callable
from typing import Any

from lading import __version__
from lading.daemon.check import registry_settings
from lading.daemon.settings import Settings
from lading.distribution import masked, proxies_of
from lading.events import Bus
from lading.ids import new_id
from lading.linux import cgroups
from lading.logs import DRIVERS
from lading.network import Networks
from lading.runtime import Runtime
from lading.runtime.spec import HostFacts
from lading.schema.system import Facts, RuntimeFact
from lading.state import Database
from lading.units import now_ns

_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def engine_id(database: Database) -> str:
    """This engine's identifier, made once."""
    row = database.one("SELECT value FROM engine WHERE key = 'id'")
    if row is not None:
        return str(row["value"])
    fresh = new_id()
    identifier = "-".join((fresh[:8], fresh[8:12], fresh[12:16], fresh[16:20], fresh[20:32]))
    with database.transaction() as tx:
        tx.execute("INSERT INTO engine VALUES ('id', ?)", (identifier,))
    return identifier


def facts_of(
    settings: Settings,
    database: Database,
    events: Bus,
    networks: Networks,
    runtime: Runtime,
    machine: HostFacts,
    init_path: str,
) -> Callable[[], Facts]:
    """A function that gathers the facts of the moment; what cannot change is read once."""
    identifier = engine_id(database)
    release = _os_release()
    security = _security_options(machine)

    def gather() -> Facts:
        runtimes = {
            name: RuntimeFact(oci.path, list(oci.arguments), oci.version)
            for name, oci in runtime.runtimes().items()
        }
        return Facts(
            engine_id=identifier,
            engine_version=__version__,
            python_version=platform.python_version(),
            name=socket.gethostname(),
            kernel_version=platform.release(),
            operating_system=release.get("PRETTY_NAME", "Linux"),
            os_version=release.get("VERSION_ID", ""),
            architecture=_GO_ARCHITECTURES.get(machine.machine, machine.machine),
            machine=machine.machine,
            cpus=machine.cpus,
            memory=machine.memory,
            data_root=settings.data_root,
            cgroup_driver="cgroupfs",
            cgroup_version=cgroups.version(),
            cgroup_controllers=machine.controllers,
            security_options=security,
            runtimes=runtimes,
            default_runtime=runtime.default_runtime,
            init_binary=os.path.basename(init_path),
            log_driver=settings.log_driver,
            log_drivers=list(DRIVERS),
            network_drivers=list(networks.drivers),
            labels=settings.label,
            debug=settings.debug,
            file_descriptors=len(os.listdir("/proc/self/fd")),
            tasks=len(asyncio.all_tasks()),
            listeners=events.listeners,
            time_ns=now_ns(),
            ip_forwarding=_ip_forwarding(),
            warnings=_warnings(settings),
            cdi_directories=settings.cdi_spec_dir,
            **_registries(settings),
        )

    return gather


def _registries(settings: Settings) -> dict[str, Any]:
    known = registry_settings(settings)
    proxies = proxies_of(known.http_proxy, known.https_proxy, known.no_proxy, os.environ)
    return {
        "mirrors": list(known.mirrors),
        "insecure_registries": list(known.insecure),
        "http_proxy": masked(proxies.http),
        "https_proxy": masked(proxies.https),
        "no_proxy": proxies.none_for,
    }


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _security_options(machine: HostFacts) -> list[str]:
    options = ["name=seccomp,profile=builtin"]
    if machine.apparmor:
        options.insert(0, "name=apparmor")
    if machine.cgroup_version == 2:
        options.append("name=cgroupns")
    return options


def _ip_forwarding() -> bool:
    try:
        with open("/proc/sys/net/ipv4/ip_forward", encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return False


def _warnings(settings: Settings) -> list[str]:
    if any(host.startswith("tcp://") for host in settings.host) and not settings.tlsverify:
        return [
            "[DEPRECATION NOTICE]: API is accessible on a TCP address without client verification: "
            "access to it is equivalent to root access on the host."
        ]
    return []
