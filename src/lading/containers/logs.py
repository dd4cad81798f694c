"""Reading a container's log."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from lading.containers.context import Context
from lading.containers.record import Container, Ended
from lading.errors import InvalidParameter
from lading.logs import LogQuery, check_readable
from lading.units import parse_whole


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What a client wants to see; `tail` is "all" or a number. Times are nanoseconds, 0 for no bound."""

    stdout: bool
    stderr: bool
    since_ns: int = 0
    until_ns: int = 0
    tail: str = "all"
    follow: bool = False
    timestamps: bool = False
    details: bool = False
    multiplexed: bool = True
    """Whether output and errors are told apart, where there is no terminal."""

    def check(self) -> None:
        """Raises InvalidParameter where there would be nothing to show."""
        if not (self.stdout or self.stderr):
            raise InvalidParameter("Bad parameters: you must choose at least one stream")

    def query(self) -> LogQuery:
        # As dockerd: what is no number means everything.
        tail = parse_whole(self.tail) if self.tail.isdecimal() else None
        return LogQuery(
            stdout=self.stdout,
            stderr=self.stderr,
            since_ns=self.since_ns,
            until_ns=self.until_ns,
            tail=-1 if tail is None else tail,
            follow=self.follow,
            timestamps=self.timestamps,
            details=self.details,
        )


def read_logs(ctx: Context, container: Container, options: LogOptions) -> AsyncIterator[bytes]:
    """The log as the API sends it. Raises InvalidParameter or Unsupported before the first piece."""
    options.check()
    check_readable(container.definition.host.log_config)
    ended = container.when("not-running") if options.follow else None
    pieces = ctx.log_reader.read(
        container.definition.host.log_config.type,
        ctx.layout.container(container.id),
        container.id,
        options.query(),
        framed=options.multiplexed and not container.definition.config.tty,
        ended=ended,
    )
    return pieces if ended is None else _until_left(pieces, ended)


async def _until_left(pieces: AsyncIterator[bytes], ended: "asyncio.Future[Ended]") -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    finally:
        ended.cancel()
