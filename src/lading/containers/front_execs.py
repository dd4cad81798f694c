"""The front door to commands run inside containers."""

import socket
from typing import Any

from lading.containers import execs
from lading.containers.context import Context
from lading.containers.exec_record import ExecRecord
from lading.containers.view import exec_view
from lading.schema.container import ExecConfig, ExecStartBody


class Execs:
    """Every wish a user can have of a command in a running container."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def create(self, reference: str, config: ExecConfig) -> ExecRecord:
        """Notes a command for a container. Raises NotFound, Conflict or InvalidParameter."""
        return execs.create_exec(self._ctx, self._ctx.registry.find(reference), config)

    def find(self, exec_id: str) -> ExecRecord:
        """Raises NotFound."""
        return execs.find_exec(self._ctx, exec_id)

    def check(self, record: ExecRecord, body: ExecStartBody) -> None:
        """Raises a LadingError where it cannot be started, while the connection is still HTTP."""
        execs.check_startable(self._ctx, record, body)

    async def start(
        self, record: ExecRecord, body: ExecStartBody, client: tuple[socket.socket, bytes] | None
    ) -> None:
        await execs.start_exec(self._ctx, record, body, client)

    async def inspect(self, exec_id: str) -> dict[str, Any]:
        record = execs.find_exec(self._ctx, exec_id)
        if record.running:
            # Its client asks as soon as its stream has ended, which may be before we heard of the end.
            await self._ctx.runtime.catch_up()
        return exec_view(record)

    async def resize(self, exec_id: str, height: int, width: int) -> None:
        """Sets the size of its terminal, in characters."""
        await execs.resize_exec(self._ctx, execs.find_exec(self._ctx, exec_id), height, width)
