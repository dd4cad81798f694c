"""Whether settings can be met, as far as they show that by themselves. Pure."""

from ipaddress import ip_address
from typing import Any

from lading import __version__
from lading.daemon.settings import LOG_FORMATS, LOG_LEVELS, Settings
from lading.distribution import RegistrySettings, checked_insecure, checked_mirror
from lading.errors import InvalidParameter
from lading.logs import check_log_config
from lading.network import NetworkSettings
from lading.schema.container import LogConfig


def check(settings: Settings) -> None:
    """Raises InvalidParameter for values that cannot be."""
    if settings.log_level not in LOG_LEVELS:
        raise InvalidParameter(f"invalid logging level: {settings.log_level}")
    if settings.log_format not in LOG_FORMATS:
        raise InvalidParameter(f"invalid log format: {settings.log_format}")
    for entry in settings.label:
        if "=" not in entry:
            raise InvalidParameter(f"bad attribute format: {entry}")
    for server in settings.dns:
        _check_address(server)
    for name, runtime in settings.add_runtime.items():
        _check_runtime(name, runtime)
    if settings.userns_remap:
        raise InvalidParameter(
            f"userns-remap {settings.userns_remap}: this engine does not remap users yet; "
            "containers have the user IDs of the host"
        )
    _check_transfers(settings)
    registry_settings(settings)
    check_log_config(log_config(settings))
    network_settings(settings).check()


def _check_transfers(settings: Settings) -> None:
    """Worded as dockerd words it."""
    limits = (
        ("max concurrent downloads", settings.max_concurrent_downloads),
        ("max concurrent uploads", settings.max_concurrent_uploads),
    )
    for name, value in limits:
        if value < 0:
            raise InvalidParameter(f"invalid {name}: {value}")
    if settings.max_download_attempts <= 0:
        raise InvalidParameter(f"invalid max download attempts: {settings.max_download_attempts}")
    for name, value in (("size", settings.max_layer_size), ("entries", settings.max_layer_entries)):
        if value <= 0:
            raise InvalidParameter(f"invalid max layer {name}: {value}")


def _check_address(server: str) -> None:
    try:
        ip_address(server)
    except ValueError:
        raise InvalidParameter(f"{server} is not an ip address") from None


def _check_runtime(name: str, runtime: Any) -> None:
    arguments = runtime.get("runtimeArgs") if isinstance(runtime, dict) else 0
    strings = isinstance(arguments, list) and all(isinstance(word, str) for word in arguments)
    if not isinstance(runtime, dict) or not (arguments is None or strings):
        raise InvalidParameter(f'invalid runtime {name}: {{"path": …, "runtimeArgs": […]}} is needed')
    if not isinstance(runtime.get("path"), str) or not runtime["path"]:
        raise InvalidParameter(f"invalid runtime {name}: it has no path")


def log_config(settings: Settings) -> LogConfig:
    """The log driver of containers that name none."""
    return LogConfig(type=settings.log_driver, config=dict(settings.log_opt))


def registry_settings(settings: Settings) -> RegistrySettings:
    """What the room of registries is told. Raises InvalidParameter."""
    insecure = [checked_insecure(entry) for entry in settings.insecure_registry]
    return RegistrySettings(
        mirrors=tuple(dict.fromkeys(checked_mirror(mirror) for mirror in settings.registry_mirror)),
        insecure=tuple(dict.fromkeys((*insecure, *RegistrySettings().insecure))),
        http_proxy=settings.http_proxy,
        https_proxy=settings.https_proxy,
        no_proxy=settings.no_proxy,
        attempts=settings.max_download_attempts,
        user_agent=f"lading/{__version__}",
    )


def network_settings(settings: Settings) -> NetworkSettings:
    """What the network room is told."""
    return NetworkSettings(
        bridge=settings.bridge,
        bip=settings.bip,
        fixed_cidr=settings.fixed_cidr,
        pools=tuple(settings.default_address_pool),
        mtu=settings.mtu,
        icc=settings.icc,
        ip_masq=settings.ip_masq,
        dns=tuple(settings.dns),
        dns_options=tuple(settings.dns_opt),
    )
