"""Opening a container's log for writing, which the keeper then does."""

import os
from collections.abc import Mapping

from lading.errors import InvalidParameter, Unsupported
from lading.logs import options as known
from lading.logs.attributes import as_json, attributes
from lading.logs.contract import LogFacts, Sink
from lading.logs.servers import SERVERS, socket_of
from lading.schema.container import LogConfig


def merge_log_config(config: LogConfig, default: LogConfig) -> LogConfig:
    """What a client said of a container's log, and the daemon's default where it said nothing."""
    driver = config.type or default.type
    options = known.with_defaults(
        config.config or {}, default.config or {}, same_driver=driver == default.type
    )
    return LogConfig(type=driver, config=options)


def check_log_config(config: LogConfig) -> None:
    """Refuses what no container could be started with. Raises InvalidParameter."""
    options: Mapping[str, str] = config.config or {}
    known.check(config.type, options)
    path = socket_of(config.type, options)
    if path and not os.path.exists(path):
        raise InvalidParameter(f"stat {path}: no such file or directory")


def check_readable(config: LogConfig) -> None:
    """Raises Unsupported where `docker logs` has nothing to read."""
    readable = config.type in (known.JSON_FILE, known.LOCAL)
    if config.type in SERVERS:
        readable = known.delivery(config.config or {}).readable
    if not readable:
        raise Unsupported("configured logging driver does not support reading")


def log_path(driver: str, directory: str, container_id: str) -> str:
    """The file that holds a container's log; empty where the driver keeps none."""
    if driver == known.JSON_FILE:
        return f"{directory}/{container_id}-json.log"
    if driver == known.LOCAL:
        return f"{directory}/local-logs/container.log"
    if driver in SERVERS:
        return f"{directory}/local-logs/container-cached.log"
    return ""


def note_path(directory: str) -> str:
    """The file that says how far a container's log was sent to its log server."""
    return f"{directory}/local-logs/sent"


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
        if config.type in SERVERS:
            limits = known.delivery(options).spool
        else:
            limits = known.rotation(config.type, options)
        extra = as_json(attributes(options, facts))
    except InvalidParameter as error:
        raise InvalidParameter(f"failed to initialize logging driver: {error.message}") from None
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return Sink(
        # What goes to a server is kept as docker's cache keeps it: in the format "local".
        driver=known.LOCAL if config.type in SERVERS else config.type,
        path=path,
        max_size=limits.max_size,
        max_file=limits.max_file,
        compress=limits.compress,
        attrs=extra,
    )
