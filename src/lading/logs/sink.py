"""Opening a container's log for writing, which the keeper then does."""

import os
from collections.abc import Mapping

from lading.errors import InvalidParameter
from lading.logs import options as known
from lading.logs.attributes import as_json, attributes
from lading.logs.contract import LogFacts, Sink
from lading.schema.container import LogConfig


def check_log_config(config: LogConfig) -> None:
    """Refuses what no container could be started with. Raises InvalidParameter."""
    known.check(config.type, config.config or {})


def log_path(driver: str, directory: str, container_id: str) -> str:
    """The file that holds a container's log; empty where the driver keeps none."""
    if driver == known.JSON_FILE:
        return f"{directory}/{container_id}-json.log"
    if driver == known.LOCAL:
        return f"{directory}/local-logs/container.log"
    return ""


def open_sink(config: LogConfig, directory: str, facts: LogFacts) -> Sink:
    """What the keeper needs to write the log of a container whose files are in `directory`.

    Raises InvalidParameter, in dockerd's words.
    """
    options: Mapping[str, str] = config.config or {}
    path = log_path(config.type, directory, facts.container_id)
    try:
        known.check(config.type, options)
        if not path:
            return Sink(driver=config.type, path="", max_size=0, max_file=1, compress=False, attrs="")
        limits = known.rotation(config.type, options)
        extra = as_json(attributes(options, facts))
    except InvalidParameter as error:
        raise InvalidParameter(f"failed to initialize logging driver: {error.message}") from None
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return Sink(
        driver=config.type,
        path=path,
        max_size=limits.max_size,
        max_file=limits.max_file,
        compress=limits.compress,
        attrs=extra,
    )
