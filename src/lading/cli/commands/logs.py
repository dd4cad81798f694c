"""`lading logs`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.frames import STDERR, Frames
from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def moment(text: str) -> str:
    """What `--since` and `--until` say, as the API takes it. Raises CommandFailed."""
    if text.isdecimal():
        return text
    import time

    from lading.errors import InvalidParameter
    from lading.units import NANOSECOND, parse_moment

    try:
        seconds, nanoseconds = divmod(parse_moment(text, time.time_ns()), NANOSECOND)
    except InvalidParameter:
        raise CommandFailed(f'failed to parse value as time or duration: "{text}"') from None
    return f"{seconds}.{nanoseconds:09d}"


def run(session: Session, given: Given) -> None:
    client, name = session.client, given.operands[0]
    container = client.get(f"/containers/{name}/json")
    query = [("stdout", "1"), ("stderr", "1")]
    query += [(flag, "1") for flag in ("details", "follow", "timestamps") if given[flag]]
    for flag in ("since", "until"):
        if given[flag]:
            try:
                query.append((flag, moment(given[flag])))
            except CommandFailed as failure:
                raise CommandFailed(f'invalid value for "{flag}": {failure.message}') from None
    query.append(("tail", given["tail"]))
    answer = client.stream("GET", f"/containers/{container['Id']}/logs", query)
    frames = Frames()
    for piece in answer.pieces():
        if container["Config"]["Tty"]:
            write(1, piece)
            continue
        try:
            for stream, data in frames.feed(piece):
                write(2 if stream == STDERR else 1, data)
        except ValueError as error:
            raise CommandFailed(f"the engine's stream is damaged: {error}") from None


COMMAND = Command(
    "logs",
    "CONTAINER",
    "Show what a container has printed",
    (
        Flag("details", "", "", "Show what else was noted with each line"),
        Flag("follow", "f", "", "Go on showing what comes"),
        Flag("since", "", "string", 'Show lines from a moment on: "2013-01-02T13:23:37Z", or "42m" ago'),
        Flag("tail", "n", "string", "Show only so many lines from the end", default="all"),
        Flag("timestamps", "t", "", "Show the time of each line"),
        Flag("until", "", "string", "Show lines up to a moment", since="1.35"),
    ),
    run,
    least=1,
    most=1,
    aliases=("container logs", "logs"),
)
