"""The configuration of an image made from a container. Pure.

Source: moby 28, daemon/commit.go.
"""

from collections.abc import Sequence

import msgspec

from lading.containers.merge import merge_env
from lading.images import apply_changes
from lading.oci.image import Healthcheck, ImageConfig
from lading.schema.container import ContainerConfig


def committed(
    container: ContainerConfig, asked: ContainerConfig | None, changes: Sequence[str]
) -> ImageConfig:
    """What is `asked` for in place of the container's own, with `changes`; the container fills the gaps.

    Raises InvalidParameter for changes that cannot be.
    """
    own = _portable(container)
    return _filled(apply_changes(_portable(asked or container), changes), own)


def _portable(config: ContainerConfig) -> ImageConfig:
    known = {name: value for name, value in msgspec.to_builtins(config).items() if value is not None}
    return msgspec.convert(known, ImageConfig)


def _filled(config: ImageConfig, own: ImageConfig) -> ImageConfig:
    config.user = config.user or own.user
    config.exposed_ports = {**(own.exposed_ports or {}), **(config.exposed_ports or {})} or None
    config.volumes = {**(own.volumes or {}), **(config.volumes or {})} or None
    config.labels = {**(own.labels or {}), **(config.labels or {})} or None
    config.env = merge_env(config.env, own.env) or None
    if not config.entrypoint:
        config.cmd = config.cmd or own.cmd
        config.entrypoint = own.entrypoint if config.entrypoint is None else config.entrypoint
    config.healthcheck = _health(config.healthcheck, own.healthcheck)
    config.working_dir = config.working_dir or own.working_dir
    config.stop_signal = config.stop_signal or own.stop_signal
    return config


def _health(check: Healthcheck | None, own: Healthcheck | None) -> Healthcheck | None:
    if check is None or own is None:
        return check or own
    return Healthcheck(
        test=check.test or own.test,
        interval=check.interval or own.interval,
        timeout=check.timeout or own.timeout,
        retries=check.retries or own.retries,
        start_period=check.start_period or own.start_period,
        start_interval=check.start_interval or own.start_interval,
    )
