"""Containers and execs as the API shows them (Engine API 1.51). Pure."""

from typing import Any

from lading.containers.exec_record import ExecRecord
from lading.containers.health import Health
from lading.containers.record import Container, Definition, Joined, State, Status
from lading.containers.status import command_text, status_text
from lading.runtime.spec import MASKED, READ_ONLY, parse_security_options
from lading.schema.container import ContainerConfig, EndpointSettings, as_list, to_wire
from lading.units import NANOSECOND, rfc3339

_OMITTED_WHEN_EMPTY = ("ExposedPorts", "Healthcheck", "ArgsEscaped", "NetworkDisabled", "MacAddress")
_OMITTED_AT_THE_END = ("StopSignal", "StopTimeout", "Shell")


def config_view(config: ContainerConfig) -> dict[str, Any]:
    """The `Config` object, without the keys docker leaves out when they are empty."""
    view: dict[str, Any] = to_wire(config)
    view["Cmd"], view["Entrypoint"] = as_list(config.cmd), as_list(config.entrypoint)
    view["Env"] = config.env or []
    view["Labels"] = config.labels or {}
    for key in (*_OMITTED_WHEN_EMPTY, *_OMITTED_AT_THE_END):
        if not view[key]:
            del view[key]
    return view


def host_config_view(definition: Definition) -> dict[str, Any]:
    """The `HostConfig` object, without the keys docker leaves out when they are empty."""
    view: dict[str, Any] = to_wire(definition.host)
    for key in ("Annotations", "Mounts", "StorageOpt", "Sysctls", "Tmpfs", "Init"):
        if view[key] is None:
            del view[key]
    view.pop("KernelMemoryTCP")
    view["ConsoleSize"] = view["ConsoleSize"] or [0, 0]
    view["PortBindings"] = view["PortBindings"] or {}
    view["LogConfig"]["Config"] = view["LogConfig"]["Config"] or {}
    if not definition.host.privileged and not _system_paths_open(definition):
        view["MaskedPaths"] = list(MASKED) if view["MaskedPaths"] is None else view["MaskedPaths"]
        view["ReadonlyPaths"] = list(READ_ONLY) if view["ReadonlyPaths"] is None else view["ReadonlyPaths"]
    return view


def _system_paths_open(definition: Definition) -> bool:
    return parse_security_options(definition.host.security_opt).system_paths_open


def state_view(state: State) -> dict[str, Any]:
    """The `State` object."""
    view = {
        "Status": state.status,
        "Running": state.running or state.status is Status.RESTARTING,
        "Paused": state.status is Status.PAUSED,
        "Restarting": state.status is Status.RESTARTING,
        "OOMKilled": state.oom_killed,
        "Dead": state.status is Status.DEAD,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": rfc3339(state.started_ns),
        "FinishedAt": rfc3339(state.finished_ns),
    }
    if state.health is not None:
        view["Health"] = health_view(state.health)
    return view


def health_view(health: Health) -> dict[str, Any]:
    """The `Health` object of a state."""
    return {
        "Status": health.status,
        "FailingStreak": health.failing_streak,
        "Log": [
            {
                "Start": rfc3339(result.start_ns),
                "End": rfc3339(result.end_ns),
                "ExitCode": result.exit_code,
                "Output": result.output,
            }
            for result in health.log
        ],
    }


def _endpoints(container: Container) -> dict[str, EndpointSettings]:
    joined = container.state.joined
    return joined.networks if joined else container.definition.networks


def network_settings_view(container: Container) -> dict[str, Any]:
    """The `NetworkSettings` object, with the first network's addresses repeated on top."""
    joined = container.state.joined or Joined()
    endpoints = _endpoints(container)
    first = endpoints.get("bridge") or EndpointSettings()
    return {
        "Bridge": "",
        "SandboxID": joined.sandbox_id,
        "SandboxKey": joined.netns_path,
        "Ports": joined.ports,
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": first.endpoint_id,
        "Gateway": first.gateway,
        "GlobalIPv6Address": first.global_ipv6_address,
        "GlobalIPv6PrefixLen": first.global_ipv6_prefix_len,
        "IPAddress": first.ip_address,
        "IPPrefixLen": first.ip_prefix_len,
        "IPv6Gateway": first.ipv6_gateway,
        "MacAddress": first.mac_address,
        "Networks": {name: to_wire(endpoint) for name, endpoint in endpoints.items()},
    }


def inspect_view(
    container: Container, directory: str, log_path: str, execs: list[str], graph: dict[str, Any]
) -> dict[str, Any]:
    """The answer to `GET /containers/{id}/json`."""
    definition = container.definition
    return {
        "Id": definition.id,
        "Created": rfc3339(definition.created_ns),
        "Path": definition.path,
        "Args": definition.args,
        "State": state_view(container.state),
        "Image": definition.image_id,
        "ResolvConfPath": f"{directory}/resolv.conf",
        "HostnamePath": f"{directory}/hostname",
        "HostsPath": f"{directory}/hosts",
        "LogPath": log_path,
        "Name": f"/{container.name}",
        "RestartCount": container.state.restart_count,
        "Driver": graph["Name"],
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": execs or None,
        "HostConfig": host_config_view(definition),
        "GraphDriver": graph,
        "Mounts": [mount.view() for mount in definition.mounts],
        "Config": config_view(definition.config),
        "NetworkSettings": network_settings_view(container),
    }


def port_views(ports: dict[str, list[dict[str, str]] | None]) -> list[dict[str, Any]]:
    """The `Ports` array of a summary: published ones with their host side, exposed ones without."""
    views: list[dict[str, Any]] = []
    for name, bindings in ports.items():
        number, _, protocol = name.partition("/")
        private = {"PrivatePort": int(number), "Type": protocol or "tcp"}
        if not bindings:
            views.append(private)
        views.extend(
            {
                "IP": binding["HostIp"],
                "PrivatePort": int(number),
                "PublicPort": int(binding["HostPort"]),
                "Type": protocol or "tcp",
            }
            for binding in bindings or []
        )
    return views


def summary_view(container: Container, now_ns: int) -> dict[str, Any]:
    """One entry of `GET /containers/json`."""
    definition, state = container.definition, container.state
    return {
        "Id": definition.id,
        "Names": [f"/{container.name}"],
        "Image": definition.config.image,
        "ImageID": definition.image_id,
        "Command": command_text(definition.path, definition.args),
        "Created": definition.created_ns // NANOSECOND,
        "Ports": port_views(state.joined.ports) if state.joined else [],
        "Labels": definition.config.labels or {},
        "State": state.status,
        "Status": status_text(state, now_ns),
        "HostConfig": {"NetworkMode": definition.host.network_mode},
        "NetworkSettings": {"Networks": {name: to_wire(e) for name, e in _endpoints(container).items()}},
        "Mounts": [mount.view() for mount in definition.mounts],
    }


def exec_view(record: ExecRecord) -> dict[str, Any]:
    """The answer to `GET /exec/{id}/json`."""
    words = record.config.cmd or [""]
    return {
        "ID": record.id,
        "Running": record.running,
        "ExitCode": record.exit_code,
        "ProcessConfig": {
            "tty": record.config.tty,
            "entrypoint": words[0],
            "arguments": words[1:],
            "privileged": record.config.privileged,
            **({"user": record.config.user} if record.config.user else {}),
        },
        "OpenStdin": record.config.attach_stdin,
        "OpenStderr": record.config.attach_stderr,
        "OpenStdout": record.config.attach_stdout,
        "CanRemove": record.exit_code is not None,
        "ContainerID": record.container_id,
        "DetachKeys": record.config.detach_keys,
        "Pid": record.pid,
    }
