"""`/version` and `/info` as the API shows them (Engine API 1.51, SystemVersion, SystemInfo). Pure."""

from typing import Any

from lading.api.router import MAXIMUM, MINIMUM
from lading.schema.system import Facts
from lading.units import rfc3339

BUILD_TIME = "2026-11-25T00:00:00.000000000+00:00"


def _version(pair: tuple[int, int]) -> str:
    return ".".join(map(str, pair))


def version_view(facts: Facts) -> dict[str, Any]:
    """The answer to `GET /version`."""
    runtime = facts.runtimes[facts.default_runtime]
    engine = {
        "Version": facts.engine_version,
        "ApiVersion": _version(MAXIMUM),
        "MinAPIVersion": _version(MINIMUM),
        "GitCommit": "",
        "GoVersion": f"python{facts.python_version}",
        "Os": "linux",
        "Arch": facts.architecture,
        "KernelVersion": facts.kernel_version,
        "BuildTime": BUILD_TIME,
    }
    details = {key: value for key, value in engine.items() if key not in ("Version", "GitCommit")}
    return {
        "Platform": {"Name": "Lading"},
        "Components": [
            {
                "Name": "Engine",
                "Version": facts.engine_version,
                "Details": {**details, "Experimental": "false", "GitCommit": ""},
            },
            {"Name": facts.default_runtime, "Version": runtime.version, "Details": {"GitCommit": ""}},
        ],
        **engine,
    }


def info_view(facts: Facts, containers: dict[str, int], images: int) -> dict[str, Any]:
    """The answer to `GET /info`. `containers` counts the running, paused and stopped ones."""
    return {
        "ID": facts.engine_id,
        "Containers": sum(containers.values()),
        "ContainersRunning": containers["running"],
        "ContainersPaused": containers["paused"],
        "ContainersStopped": containers["stopped"],
        "Images": images,
        **_storage(facts),
        **_limits(facts),
        "Debug": facts.debug,
        "NFd": facts.file_descriptors,
        "NGoroutines": facts.tasks,
        "SystemTime": rfc3339(facts.time_ns),
        "LoggingDriver": facts.log_driver,
        "CgroupDriver": facts.cgroup_driver,
        "CgroupVersion": str(facts.cgroup_version),
        "NEventsListener": facts.listeners,
        "KernelVersion": facts.kernel_version,
        "OperatingSystem": facts.operating_system,
        "OSVersion": facts.os_version,
        "OSType": "linux",
        "Architecture": facts.machine,
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": _registries(facts),
        "NCPU": facts.cpus,
        "MemTotal": facts.memory,
        "GenericResources": None,
        "DockerRootDir": facts.data_root,
        "HttpProxy": facts.http_proxy,
        "HttpsProxy": facts.https_proxy,
        "NoProxy": facts.no_proxy,
        "Name": facts.name,
        "Labels": facts.labels,
        "ExperimentalBuild": False,
        "ServerVersion": facts.engine_version,
        **_runtimes(facts),
        "Swarm": _no_swarm(),
        "LiveRestoreEnabled": True,
        "Isolation": "",
        "InitBinary": facts.init_binary,
        "SecurityOptions": facts.security_options,
        "FirewallBackend": {"Driver": "nftables"},
        "CDISpecDirs": facts.cdi_directories,
        "Warnings": facts.warnings,
    }


def _storage(facts: Facts) -> dict[str, Any]:
    return {
        "Driver": "overlay2",
        "DriverStatus": [["Supports d_type", "true"], ["Using metacopy", "false"]],
        "Plugins": {
            "Volume": ["local"],
            "Network": facts.network_drivers,
            "Authorization": None,
            "Log": facts.log_drivers,
        },
    }


def _limits(facts: Facts) -> dict[str, Any]:
    has = facts.cgroup_controllers.__contains__
    return {
        "MemoryLimit": has("memory"),
        "SwapLimit": has("memory"),
        "CpuCfsPeriod": has("cpu"),
        "CpuCfsQuota": has("cpu"),
        "CPUShares": has("cpu"),
        "CPUSet": has("cpuset"),
        "PidsLimit": has("pids"),
        "IPv4Forwarding": facts.ip_forwarding,
        "OomKillDisable": facts.cgroup_version == 1 and has("memory"),
    }


def _runtimes(facts: Facts) -> dict[str, Any]:
    runtimes: dict[str, Any] = {}
    for name, runtime in facts.runtimes.items():
        runtimes[name] = {"path": runtime.path}
        if runtime.arguments:
            runtimes[name]["runtimeArgs"] = runtime.arguments
    return {
        "Runtimes": runtimes,
        "DefaultRuntime": facts.default_runtime,
        "ContainerdCommit": {"ID": ""},
        "RuncCommit": {"ID": facts.runtimes[facts.default_runtime].version},
        "InitCommit": {"ID": ""},
    }


def _registries(facts: Facts) -> dict[str, Any]:
    named = [entry for entry in facts.insecure_registries if "/" not in entry]
    configs = {name: {"Name": name, "Mirrors": [], "Secure": False, "Official": False} for name in named}
    configs["docker.io"] = {
        "Name": "docker.io",
        "Mirrors": facts.mirrors,
        "Secure": True,
        "Official": True,
    }
    return {
        "InsecureRegistryCIDRs": [entry for entry in facts.insecure_registries if "/" in entry],
        "IndexConfigs": configs,
        "Mirrors": facts.mirrors or None,
    }


def _no_swarm() -> dict[str, Any]:
    return {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    }
