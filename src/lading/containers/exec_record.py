"""A command run inside a running container."""

from msgspec import Struct

from lading.schema.container import ExecConfig


class ExecRecord(Struct, kw_only=True):
    """One exec. It is kept in the database so that its client, whose stream the
    keeper carries on, can still ask for the exit code after a restart."""

    id: str
    container_id: str
    config: ExecConfig
    running: bool = False
    started: bool = False
    exit_code: int | None = None
    pid: int = 0
    finished_ns: int = 0
