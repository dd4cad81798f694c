"""What containers print: how it is kept, and how it is read back.

Here: log drivers and their options, the description of a log that the keeper
writes by (its sink), reading the files again, with all that `docker logs` can
ask, and sending them on to log servers (`forward`, in the words of `servers`).
Not here: the writing, which the keeper does so that it goes on when
the daemon does not. Calls aio, linux, schema and the hall.
"""

from lading.logs.contract import LogFacts, Sink
from lading.logs.forward import Forwarding, ForwardRequest
from lading.logs.options import DRIVERS
from lading.logs.query import LogQuery
from lading.logs.reader import LogReader
from lading.logs.sink import (
    check_log_config,
    check_readable,
    log_path,
    merge_log_config,
    note_path,
    open_sink,
)

__all__ = [
    "DRIVERS",
    "ForwardRequest",
    "Forwarding",
    "LogFacts",
    "LogQuery",
    "LogReader",
    "Sink",
    "check_log_config",
    "check_readable",
    "log_path",
    "merge_log_config",
    "note_path",
    "open_sink",
]
