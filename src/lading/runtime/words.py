"""What the runtime room is told and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Launch:
    """A container to be started; its bundle, with config.json, is ready.

    `sink` is what the logs room opened. `record_path` is where the keeper
    writes the exit record. `console_size` is (height, width).
    """

    key: str
    bundle: str
    sink: Mapping[str, Any]
    record_path: str
    runtime: str = ""
    argv0: str = ""
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    console_size: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Exec:
    """A process to be started in a running container; `process` is the OCI spec's process object."""

    key: str
    container_id: str
    process: Mapping[str, Any]
    runtime: str = ""
    tty: bool = False
    open_stdin: bool = False
    console_size: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    """How a client wants to be attached.

    `framed` output is multiplexed as in docker's raw streams. `detach_keys` is
    in docker's words ("ctrl-p,ctrl-q", which is what an empty text stands for).
    `early` is what the client sent together with its request.
    """

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    framed: bool = False
    detach_keys: str = ""
    early: bytes = b""


@dataclass(frozen=True, slots=True)
class Started:
    """A process that runs, or has run: its end may already be on the way as news."""

    pid: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process the keeper holds."""

    key: str
    container_id: str
    exec_id: str | None
    pid: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class Exit:
    """A process has ended; it stays recorded until `Runtime.forget`.

    `code` is 128 + number for a signal, 255 with a `reason` where nobody could
    observe the end.
    """

    key: str
    container_id: str
    exec_id: str | None
    code: int
    finished_ns: int
    oom: bool = False
    reason: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Detached:
    """The user of an attached client pressed the detach keys."""

    key: str
    container_id: str
    exec_id: str | None
