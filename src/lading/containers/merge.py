"""What the client asked for and what the image says, made one. Pure.

The order of precedence is docker's: the client's word wins, lists of
environment variables, ports, volumes and labels are united, and an
entrypoint of the client's drops the image's command.
"""

import msgspec

from lading.errors import InvalidParameter
from lading.oci.image import Healthcheck, ImageConfig
from lading.schema.container import ContainerConfig, CreateBody, HealthConfig, as_list

DEFAULT_STOP_SIGNAL = "SIGTERM"


def merge(asked: CreateBody, image: ImageConfig) -> ContainerConfig:
    """The container's configuration. Raises InvalidParameter where nothing is to be run."""
    config = msgspec.convert(msgspec.to_builtins(asked), ContainerConfig)
    config.cmd, config.entrypoint = _command(asked, image)
    if not config.cmd and not config.entrypoint:
        raise InvalidParameter("no command specified")
    config.env = merge_env(asked.env, image.env)
    config.exposed_ports = {**(image.exposed_ports or {}), **(asked.exposed_ports or {})} or None
    config.volumes = {**(image.volumes or {}), **(asked.volumes or {})} or None
    config.labels = {**(image.labels or {}), **(asked.labels or {})}
    config.user = asked.user or image.user
    config.working_dir = asked.working_dir or image.working_dir
    config.stop_signal = asked.stop_signal or image.stop_signal
    config.shell = asked.shell or image.shell
    config.healthcheck = _healthcheck(asked.healthcheck, image.healthcheck)
    return config


def _command(asked: CreateBody, image: ImageConfig) -> tuple[list[str] | None, list[str] | None]:
    cmd, entrypoint = as_list(asked.cmd), as_list(asked.entrypoint)
    if entrypoint == [""]:
        return cmd, None
    if entrypoint:
        return cmd, entrypoint
    return cmd or as_list(image.cmd), as_list(image.entrypoint)


def merge_env(asked: list[str] | None, image: list[str] | None) -> list[str]:
    """The client's variables first, then those of the image it did not set."""
    mine = asked or []
    names = {entry.partition("=")[0] for entry in mine}
    return [*mine, *(entry for entry in image or [] if entry.partition("=")[0] not in names)]


def _healthcheck(asked: HealthConfig | None, image: Healthcheck | None) -> HealthConfig | None:
    if image is None:
        return asked
    asked = asked or HealthConfig()
    return HealthConfig(
        test=asked.test or image.test,
        interval=asked.interval or image.interval,
        timeout=asked.timeout or image.timeout,
        retries=asked.retries or image.retries,
        start_period=asked.start_period or image.start_period,
        start_interval=asked.start_interval or image.start_interval,
    )


def process_args(config: ContainerConfig) -> list[str]:
    """The words of the container's process: entrypoint, then command."""
    return [*(as_list(config.entrypoint) or []), *(as_list(config.cmd) or [])]
